"""Registries whose optimizers live in processes of their own, and a target that looks around."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from isolated_fakes import Odd, Spender
from run_fakes import Bowl, BowlSession

from daybreak import (
    Benchmark,
    BuildFailed,
    Configuration,
    Isolation,
    OptimizerSpec,
    Problem,
    TargetSpec,
)
from daybreak.plugin import Registry

__all__ = ["isolated_registry"]

_OPTIMIZERS = {
    "random": "daybreak_random.sampling:Random",
    "descent": "run_fakes:Descent",
    "talker": "run_fakes:Talker",
    "empty": "run_fakes:Empty",
    "busy": "isolated_fakes:Busy",
    "global": "isolated_fakes:Global",
    "witness": "isolated_fakes:Witness",
    "billed": "isolated_registry:Billed",
    "killed": "isolated_registry:Killed",
    "hanging": "isolated_registry:Hanging",
    "spinning": "isolated_registry:Spinning",
    "broken": "isolated_broken_import:Never",
}


class Killed(Odd):
    """Killed at the third ask."""

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        super().__init__(problem, {"how": "kill"})


class Hanging(Odd):
    """Hangs at the third ask, deaf to signals."""

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        super().__init__(problem, {"how": "hang", "note": os.environ["NOTE"]})


class Spinning(Odd):
    """Computes without end at the third ask."""

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        super().__init__(problem, {"how": "spin", "note": os.environ["NOTE"]})


class Billed(Spender):
    """Cannot say what it spent."""

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        super().__init__(problem, {"how": "raise"})


class Curious(Bowl):
    """Every trial fails, and lists the descriptors that the candidate's process has."""

    def benchmarks(self) -> Iterable[Benchmark]:
        yield self.define("bowl", {})

    def open(self, benchmark: Benchmark) -> BowlSession:
        return CuriousSession(benchmark)


class CuriousSession(BowlSession):
    """See `Curious`."""

    def build(self, configuration: Configuration) -> Configuration:
        kinds = sorted(
            os.readlink(f"/proc/self/fd/{fd}").partition(":")[0]
            for fd in range(256)
            if os.path.lexists(f"/proc/self/fd/{fd}")
        )
        raise BuildFailed("looked around", detail=json.dumps(kinds))


def isolated_registry(where: Isolation = Isolation.WORKER) -> Registry:
    """Return a registry whose optimizers live `where`."""
    return Registry.from_specs(
        TargetSpec(
            name="fake",
            factory="run_fakes:Bowl",
            summary="A bowl.",
            isolation=Isolation.INLINE,
            options="run_fakes_options:Options",
        ),
        TargetSpec(
            name="curious",
            factory="isolated_registry:Curious",
            summary="Looks around.",
            isolation=Isolation.FORK,
        ),
        OptimizerSpec(
            name="references", factory="daybreak_random.references:References", summary="x"
        ),
        *(
            OptimizerSpec(name=name, factory=factory, summary="x", isolation=where)
            for name, factory in _OPTIMIZERS.items()
        ),
    )
