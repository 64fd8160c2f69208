"""Plans on the fake target, and a listener that keeps what it was told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from run_fakes import registry

from daybreak import Isolation, RunSummary
from daybreak.plugin import Registry
from daybreak.run import run_suite


class Recorder:
    """Keeps the events of a run."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def event(self, kind: str, values: dict[str, Any]) -> None:
        self.events.append((kind, values))

    def close(self) -> None: ...

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [values for name, values in self.events if name == kind]

    def trials(self, optimizer: str | None = None) -> list[dict[str, Any]]:
        return [
            t
            for t in self.of("trial_finished")
            if t["role"] == "optimizer" and optimizer in (None, t["optimizer"])
        ]


Runner = Callable[..., tuple[RunSummary, Recorder]]

SUITE = """\
suite: 1
name: {name}
benchmarks:
{benchmarks}
optimizers: [{optimizers}]
seeds: {seeds}
budget: {{evaluations: {evaluations}}}
targets: {{expert: 1.0}}
protocol: {{repeats: {{min: 1, max: 1}}, warmup: 0, interleave: {interleave}}}
"""


@pytest.fixture
def write_suite(tmp_path: Path) -> Callable[..., Path]:
    def write(
        optimizers: str = "random",
        *,
        name: str = "fakes",
        seeds: int = 1,
        evaluations: int = 8,
        interleave: int = 5,
        benchmarks: str = "  - fake/bowl",
        extra: str = "",
    ) -> Path:
        path = tmp_path / f"{name}.yaml"
        text = SUITE.format(
            name=name,
            benchmarks=benchmarks,
            optimizers=optimizers,
            seeds=seeds,
            evaluations=evaluations,
            interleave=interleave,
        )
        path.write_text(text + extra)
        return path

    return write


@pytest.fixture
def run(tmp_path: Path, write_suite: Callable[..., Path]) -> Runner:
    def run(
        optimizers: str = "random",
        *,
        isolation: Isolation = Isolation.INLINE,
        results: str | Path | None = None,
        jobs: int = 1,
        fresh: bool = False,
        only: str | None = None,
        using: Registry | None = None,
        **suite: Any,
    ) -> tuple[RunSummary, Recorder]:
        recorder = Recorder()
        summary = run_suite(
            write_suite(optimizers, **suite),
            results=tmp_path / "results" if results is None else results,
            jobs=jobs,
            fresh=fresh,
            only=only,
            listener=recorder,
            registry=using or registry(isolation),
        )
        return summary, recorder

    return run
