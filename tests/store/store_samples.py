"""Small studies and trials for the tests of the store."""

from __future__ import annotations

from pathlib import Path

from daybreak.records import FailureKind, Outcome, Sample, Trial, TrialStatus
from daybreak.store import RunWriter, StudyRow

__all__ = ["BENCHMARK", "STUDY", "begin", "make_trial", "record_run"]

STUDY = StudyRow(
    study_id="r1/s1",
    study_key="k1",
    benchmark="toy/sum",
    target="toy",
    optimizer="random",
    component="random",
    seed=1,
    budget={"evaluations": 20},
    thresholds=({"name": "expert", "value": 1.0, "relative_to": "expert"},),
)
BENCHMARK = {
    "benchmark": "toy/sum",
    "target": "toy",
    "objectives": [{"name": "time", "unit": "s", "direction": "minimize"}],
}


def make_trial(number: int, value: float | None = 1.0, **changes: object) -> Trial:
    """A trial whose objective and only sample is `value`; None: it failed to build."""
    outcome = Outcome(
        status=TrialStatus.OK if value is not None else TrialStatus.FAILED,
        failure_kind=None if value is not None else FailureKind.BUILD,
        objectives={"time": value},
        samples=() if value is None else (Sample("time", value, 0),),
        phases={"build": 0.5},
    )
    return Trial(number=number, configuration={"x": number}, outcome=outcome, **changes)


def begin(results: Path, run_id: str = "r1", study_id: str = STUDY.study_id) -> RunWriter:
    """A new run with one study and no trials."""
    writer = RunWriter.create(results, run_id, suite_key="sk", row={"suite": "toys"})
    writer.benchmark(BENCHMARK)
    columns = {name: getattr(STUDY, name) for name in StudyRow.__slots__}
    writer.study(StudyRow(**{**columns, "study_id": study_id}))
    return writer


def record_run(
    results: Path, run_id: str = "r1", trials: int = 3, status: str | None = "finished"
) -> None:
    """A whole run with one study, named after the run; status None: never finished."""
    study_id = f"{run_id}/s1"
    with begin(results, run_id, study_id) as writer:
        for number in range(trials):
            writer.trial(study_id, make_trial(number, float(number)))
        if status is not None:
            writer.finish(status)
