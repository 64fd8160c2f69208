"""Results small enough to compute by hand: studies given as lists of objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from daybreak.records import FailureKind, Outcome, Sample, Trial, TrialStatus
from daybreak.store import RunWriter, StudyRow

__all__ = ["FAILED", "Results", "trial"]

#: Stands for a trial that failed to build.
FAILED = None


def trial(
    number: int,
    value: float | None,
    *,
    objectives: Mapping[str, float | None] | None = None,
    status: TrialStatus | None = None,
    kind: FailureKind = FailureKind.BUILD,
    samples: Sequence[Sample] = (),
    phases: Mapping[str, float] | None = None,
    message: str | None = None,
    **columns: Any,
) -> Trial:
    """A trial with one objective `value`; FAILED: it failed. A second of study time each."""
    failed = value is None and status is None and objectives is None
    outcome = Outcome(
        status=status or (TrialStatus.FAILED if failed else TrialStatus.OK),
        failure_kind=kind if failed or status is TrialStatus.FAILED else None,
        message=message,
        objectives={"time": value} if objectives is None else objectives,
        samples=tuple(samples),
        phases=phases or {},
    )
    columns.setdefault("elapsed_s", float(number + 1))
    return Trial(number=number, configuration={"x": number}, outcome=outcome, **columns)


class Results:
    """One run, written study by study."""

    def __init__(
        self,
        folder: Path,
        run_id: str = "r1",
        *,
        suite: str = "toys",
        started_at: str = "2026-01-01T00:00:00+00:00",
        machine: str = "m1",
    ) -> None:
        self.folder = folder
        self.run_id = run_id
        self.writer = RunWriter.create(
            folder,
            run_id,
            suite_key=suite,
            row={"suite": suite, "started_at": started_at, "machine_id": machine},
        )
        self._studies = 0

    def benchmark(
        self, name: str = "toy/b", *, direction: str = "minimize", unit: str = "s", **row: Any
    ) -> Results:
        objectives = [{"name": "time", "unit": unit, "direction": direction}]
        self.writer.benchmark({"benchmark": name, "target": "toy", "objectives": objectives, **row})
        return self

    def study(
        self,
        trials: Sequence[Trial | float | None],
        *,
        optimizer: str = "random",
        benchmark: str = "toy/b",
        seed: int | None = None,
        role: str = "optimizer",
        status: str = "finished",
        thresholds: Sequence[Mapping[str, Any]] = (),
    ) -> str:
        """Write a study of trials, or of their objectives; return its id."""
        self._studies += 1
        study_id = f"{self.run_id}/{self._studies}"
        self.writer.study(
            StudyRow(
                study_id=study_id,
                study_key=study_id,
                benchmark=benchmark,
                target="toy",
                optimizer=optimizer,
                component=optimizer,
                seed=self._studies if seed is None else seed,
                role=role,
                thresholds=tuple(thresholds),
            )
        )
        for number, one in enumerate(trials):
            self.writer.trial(study_id, one if isinstance(one, Trial) else trial(number, one))
        self.writer.study_status(study_id, status)
        return study_id

    def reference(
        self, name: str, values: Sequence[float | None], benchmark: str = "toy/b"
    ) -> Results:
        """Write a reference study with a trial per value."""
        self.study(
            [trial(i, value, reference=name) for i, value in enumerate(values)],
            optimizer="references",
            benchmark=benchmark,
            role="reference",
        )
        return self

    def done(self, status: str = "finished") -> Path:
        self.writer.finish(status)
        self.writer.close()
        return self.folder
