"""Identities: run ids, study keys, trial keys.

A key is the SHA-256 of canonical JSON (sorted keys, no spaces), so that equal content gives equal
keys in every process and on every machine.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from daybreak.records import Configuration, MeasurementProtocol, StudyPlan

__all__ = ["canonical", "digest", "new_run_id", "study_id", "study_key", "trial_key_prefix"]


def canonical(value: Any) -> str:
    """Return `value` as canonical JSON; tuples count as lists."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def digest(value: Any) -> str:
    """Return the SHA-256 of `value`'s canonical JSON as 64 hex digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def new_run_id(suite: str) -> str:
    """Return a fresh run id that sorts by time: ``20260131-235959-quickstart-1f2e3d``."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    name = re.sub(r"[^a-z0-9]+", "-", suite.lower()).strip("-")[:32] or "suite"
    return f"{stamp}-{name}-{secrets.token_hex(3)}"


def _protocol(protocol: MeasurementProtocol) -> dict[str, Any]:
    repeats = protocol.repeats
    # only with a stop rule or a seed, so that keys of trials without one stay what they were
    more: dict[str, Any] = {}
    if protocol.stop is not None:
        more["stop"] = asdict(protocol.stop)
    if protocol.seed:
        more["seed"] = protocol.seed
    return {
        **more,
        "repeats": [repeats.min, repeats.max, repeats.ci],
        "warmup": protocol.warmup,
        "timeout_s": protocol.timeout_s,
        "hopeless": protocol.hopeless,
        "flush_cache": protocol.flush_cache,
    }


def study_key(plan: StudyPlan, *, space: str, versions: Mapping[str, str]) -> str:
    """Return the key under which a study is found again when a run is resumed.

    The budget is left out: a study continues when its budget grows. `space` is the fingerprint of
    the search space; `versions` maps the distributions of the plugins involved to their versions.
    Of a history the choice counts, not the trials: these are recorded with the run, so that a
    resumed study gets the very same.
    """
    # only with a history, so that keys of studies without one stay what they were
    history = {} if plan.history is None else {"history": asdict(plan.history)}
    return digest(
        {
            **history,
            "benchmark": plan.benchmark,
            "options": plan.options,
            "optimizer": plan.optimizer,
            "component": plan.component,
            "optimizer_options": plan.optimizer_options,
            "seed": plan.seed,
            "batch": plan.batch,
            "protocol": _protocol(plan.protocol),
            "interleave": plan.protocol.interleave,
            "space": space,
            "versions": dict(versions),
        }
    )


def study_id(run_id: str, key: str) -> str:
    """Return the study's id: 16 hex digits, the same each time for one run and study key."""
    return hashlib.sha256(f"{run_id}/{key}".encode()).hexdigest()[:16]


class TrialKeys:
    """Makes trial keys for one study: everything but the configuration is hashed once."""

    def __init__(self, prefix: str) -> None:
        self._hash = hashlib.sha256(prefix.encode())

    def __call__(self, configuration: Configuration) -> str:
        """Return the key of a trial of `configuration`: 32 hex digits."""
        hashed = self._hash.copy()
        hashed.update(canonical(configuration).encode())
        return hashed.hexdigest()[:32]


def trial_key_prefix(
    plan: StudyPlan,
    *,
    identity: Mapping[str, str],
    versions: Mapping[str, str],
    machine_id: str,
    environment_id: str,
) -> str:
    """Return what all trials of one study share: benchmark, data, protocol, versions, machine.

    Optimizer and seed are left out on purpose: the same configuration measured for two optimizers
    has one key.
    """
    return canonical(
        {
            "benchmark": plan.benchmark,
            "options": plan.options,
            "protocol": _protocol(plan.protocol),
            "identity": dict(identity),
            "versions": dict(versions),
            "machine": machine_id,
            "environment": environment_id,
        }
    )
