"""Small studies and trials for the tests of the store."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from daybreak.records import Event, FailureKind, Outcome, Sample, Trial, TrialStatus
from daybreak.store import RunWriter, StudyRow

__all__ = ["BENCHMARK", "STUDY", "any_trials", "begin", "make_trial", "record_run"]

# JSON has no lone surrogates; they are stored as U+FFFD, which has its own test
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
floats = st.floats()
maybe = st.none() | floats
integers = st.integers(-(2**62), 2**62)
json_values = st.recursive(
    st.none() | st.booleans() | integers | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
facts = st.dictionaries(texts, json_values, max_size=3)
parameter_values = (
    integers | floats | texts | st.booleans() | st.lists(integers, max_size=4).map(tuple)
)
outcomes = st.builds(
    Outcome,
    status=st.sampled_from(TrialStatus),
    failure_kind=st.none() | st.sampled_from(FailureKind),
    message=st.none() | texts,
    detail=st.none() | texts,
    objectives=st.dictionaries(texts, maybe, max_size=3),
    low=maybe,
    high=maybe,
    samples=st.lists(st.builds(Sample, texts, floats, integers), max_size=4).map(tuple),
    events=st.lists(
        st.builds(Event, texts, floats, integers, st.none() | integers, maybe, maybe, maybe),
        max_size=3,
    ).map(tuple),
    phases=st.dictionaries(texts, floats, max_size=3),
    facts=facts,
    readings=facts,
)
any_trials = st.builds(
    Trial,
    number=st.integers(0, 2**22 - 1),
    configuration=st.dictionaries(texts, parameter_values, max_size=4),
    outcome=outcomes,
    reference=st.none() | texts,
    key=texts,
    started_at=texts,
    ask_s=floats,
    tell_s=floats,
    total_s=floats,
    elapsed_s=floats,
    proposal=st.none() | facts,
)

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
