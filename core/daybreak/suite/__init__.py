"""Suites: what to run, written in YAML, validated, and expanded to a plan of studies."""

from __future__ import annotations

from daybreak.suite.catalogue import SuiteInfo, find_suite, list_suites
from daybreak.suite.faults import SuiteFaults
from daybreak.suite.load import load_suite, parse_suite
from daybreak.suite.model import Suite

__all__ = [
    "Suite",
    "SuiteFaults",
    "SuiteInfo",
    "find_suite",
    "list_suites",
    "load_suite",
    "parse_suite",
]
