"""Suites: what to run, written in YAML, validated, and expanded to a plan of studies."""

from __future__ import annotations

from daybreak.suite.catalogue import SuiteInfo, find_suite, list_suites
from daybreak.suite.estimate import TimeBound, study_bound, total_bound
from daybreak.suite.faults import SuiteFaultsError
from daybreak.suite.load import load_suite, parse_suite
from daybreak.suite.model import Suite
from daybreak.suite.plan import RunPlan, plan_suite
from daybreak.suite.requirements import Missing, missing_requirements
from daybreak.suite.schema import suite_schema
from daybreak.suite.stopping import describe_stop

__all__ = [
    "Missing",
    "RunPlan",
    "Suite",
    "SuiteFaultsError",
    "SuiteInfo",
    "TimeBound",
    "describe_stop",
    "find_suite",
    "list_suites",
    "load_suite",
    "missing_requirements",
    "parse_suite",
    "plan_suite",
    "study_bound",
    "suite_schema",
    "total_bound",
]
