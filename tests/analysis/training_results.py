"""Training runs small enough to time by hand, written through the store's own writer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from daybreak.records import Event, FailureKind, Outcome, Sample, Trial, TrialStatus
from daybreak.store import RunWriter, StudyRow

__all__ = ["TrainingResults", "curve"]


def curve(
    values: Sequence[float],
    *,
    epoch_s: float = 10.0,
    evaluation_s: float = 1.0,
    metric: str = "accuracy",
    steps: int = 100,
    first: int = 0,
    clocks: Iterable[str] = ("train", "wall"),
) -> tuple[Event, ...]:
    """A look at the metric per epoch, from epoch `first` on; training takes `epoch_s` an epoch."""
    found = []
    for i, value in enumerate(values):
        epoch = i + first
        train = epoch * epoch_s
        found.append(
            Event(
                metric,
                value,
                seq=i,
                step=epoch * steps,
                epoch=float(epoch),
                train_s=train if "train" in clocks else None,
                wall_s=train + i * evaluation_s if "wall" in clocks else None,
            )
        )
    return tuple(found)


class TrainingResults:
    """One run of training jobs, written study by study."""

    def __init__(self, folder: Path, run_id: str = "t1", *, suite: str = "training") -> None:
        self.folder, self.run_id = folder, run_id
        row = {"suite": suite, "started_at": "2026-01-01T00:00:00+00:00", "machine_id": "m1"}
        self.writer = RunWriter.create(folder, run_id, suite_key=suite, row=row)
        self._studies = 0

    def benchmark(
        self,
        name: str = "train/image",
        *,
        metric: str = "accuracy",
        direction: str = "maximize",
        target: float | None = 0.9,
        declared: bool = True,
        **row: Any,
    ) -> TrainingResults:
        self.writer.benchmark(
            {
                "benchmark": name,
                "target": "train",
                "objectives": [{"name": "time_to_target", "unit": "s", "direction": "minimize"}],
                "metrics": [
                    {"name": metric, "unit": "1", "direction": direction},
                    {"name": f"test_{metric}", "unit": "1", "direction": direction},
                    {"name": "energy", "unit": "J", "direction": "minimize"},
                    {"name": "communication_s", "unit": "s", "direction": "minimize"},
                ],
                **({"curve": {"metric": metric, "target": target}} if declared else {}),
                **row,
            }
        )
        return self

    def study(
        self,
        runs: Sequence[tuple[Event, ...] | Trial],
        *,
        optimizer: str = "sgd",
        benchmark: str = "train/image",
        seed: int | None = None,
        role: str = "optimizer",
        thresholds: Sequence[Mapping[str, Any]] = (),
        stop: Mapping[str, Any] | None = None,
        price: float | None = None,
        status: str = "finished",
    ) -> str:
        """Write a study of training runs, given as their events or as trials; return its id."""
        self._studies += 1
        study_id = f"{self.run_id}/{self._studies}"
        self.writer.study(
            StudyRow(
                study_id=study_id,
                study_key=study_id,
                benchmark=benchmark,
                target="train",
                optimizer=optimizer,
                component=optimizer,
                seed=self._studies if seed is None else seed,
                role=role,
                protocol={"stop": dict(stop)} if stop is not None else {},
                thresholds=tuple(thresholds),
                dollars_per_hour=price,
            )
        )
        elapsed = 0.0
        for number, one in enumerate(runs):
            trial = one if isinstance(one, Trial) else self.trial(number, one)
            if not trial.elapsed_s:
                elapsed += trial.total_s
                trial = _at(trial, elapsed)
            self.writer.trial(study_id, trial)
        self.writer.study_status(study_id, status)
        return study_id

    @staticmethod
    def trial(
        number: int,
        events: tuple[Event, ...],
        *,
        configuration: Mapping[str, Any] | None = None,
        objective: float | None = None,
        samples: Sequence[Sample] = (),
        kind: FailureKind | str | None = None,
        reference: str | None = None,
        ask_s: float = 0.5,
        build_s: float = 1.5,
        phases: Mapping[str, float] | None = None,
        **columns: Any,
    ) -> Trial:
        """One training run: half a second to ask, one and a half to build, then the curve."""
        wall = max((e.wall_s or e.train_s or 0.0 for e in events), default=0.0)
        measured = {"build": build_s, "measure": wall, **(phases or {})}
        outcome = Outcome(
            status=TrialStatus.OK if kind is None else TrialStatus.FAILED,
            failure_kind=None if kind is None else FailureKind(kind),
            objectives={"time_to_target": objective if kind is None else None},
            samples=tuple(samples),
            events=tuple(events),
            phases=measured,
        )
        columns.setdefault("total_s", ask_s + build_s + measured["measure"])
        return Trial(
            number=number,
            configuration=configuration or {"lr": 0.1},
            outcome=outcome,
            reference=reference,
            ask_s=ask_s,
            **columns,
        )

    def done(self) -> Path:
        self.writer.finish("finished")
        self.writer.close()
        return self.folder


def _at(trial: Trial, elapsed: float) -> Trial:
    from dataclasses import replace

    return replace(trial, elapsed_s=elapsed)
