"""A target that replays a table: simulated seconds, recorded failures, a known landscape."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from daybreak.errors import NotRecorded, TrialFailed
from daybreak.plugin.contracts import Landscape, Verdict
from daybreak.records import Sample


class Session:
    """Configurations say what was recorded of them: `values`, or `kind` and `message`."""

    identity: Mapping[str, str] = {}

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.floors: Mapping[str, float] = options.get("floors", {})
        self.seconds: Mapping[str, Any] = options.get("seconds", {"build": 2.0, "verify": 0.25})
        self.broken = options.get("broken", "")

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None: ...

    def build(self, configuration: Mapping[str, Any]) -> Any:
        if configuration.get("unknown"):
            raise NotRecorded("the table has no such configuration")
        if "kind" in configuration:
            raise TrialFailed(
                str(configuration["message"]), detail="as recorded", kind=configuration["kind"]
            )
        if configuration.get("die"):
            os._exit(7)
        # an artifact may know finer phases, in real seconds: they are not the simulated ones
        return SimpleNamespace(values=configuration["values"], phases={"lookup": 1e-6})

    def verify(self, artifact: Any) -> Verdict:
        return Verdict(correct=True)

    def measure(self, artifact: Any, protocol: Any) -> Iterator[Sample]:
        for i, value in enumerate(artifact.values):
            yield Sample("time", float(value), i)

    def simulated_phases(
        self, configuration: Mapping[str, Any], repetitions: int
    ) -> Mapping[str, Any]:
        if configuration.get("unknown"):
            raise NotRecorded("nothing is known of it")
        if self.broken == "raise":
            raise ZeroDivisionError("no time")
        if repetitions == 0:
            return {"build": self.seconds["build"]}
        measured = sum(configuration["values"][:repetitions])
        return {**self.seconds, "build.compile": 1.5, "measure": measured}

    def landscape(self) -> Landscape | None:
        if self.broken == "landscape":
            raise ZeroDivisionError("no values")
        return None if self.broken == "unknown" else Landscape([3.0, 1.0, 2.0], 2, 4.0)


class Target:
    def define(self, name: str, options: Mapping[str, Any]) -> SimpleNamespace:
        return SimpleNamespace(name=name, options=options)

    def open(self, benchmark: Any) -> Session:
        return Session(benchmark.options)
