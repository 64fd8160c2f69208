"""Stop rules and prices in suites: what they become, and what people are told of bad ones."""

from __future__ import annotations

import hashlib
import json
import textwrap
from dataclasses import asdict
from pathlib import Path

import pytest
from training_suite_fakes import training_suite_registry

from daybreak.errors import PluginError, SuiteError
from daybreak.records import MeasurementProtocol, StopRule
from daybreak.suite import (
    RunPlan,
    describe_stop,
    load_suite,
    parse_suite,
    plan_suite,
    study_bound,
    suite_schema,
)

HEAD = "suite: 1\nname: mine\noptimizers: [random]\nbudget: {evaluations: 5}\n"
TARGETS = """\
targets:
  expert: 1.0
  accuracy-97: {metric: accuracy, value: 0.97}
  accuracy: {metric: accuracy, value: [0.8, 0.95]}
  loss: {metric: loss, value: 0.1}
"""


def plan(*lines: str, benchmarks: str = "[fake/job]", targets: str = TARGETS) -> RunPlan:
    text = HEAD + f"benchmarks: {benchmarks}\n" + targets + "\n".join(lines) + "\n"
    return plan_suite(parse_suite(text), training_suite_registry())


def rule(stop: str, **more: str) -> StopRule | None:
    return plan(f"protocol: {{stop: {stop}}}", **more).studies[0].protocol.stop


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        ("{at: accuracy-97}", StopRule(0.97)),
        ("{at: accuracy-0.95, train: 2min}", StopRule(0.95, 120.0)),
        ("{train: 90}", StopRule(0.9, 90.0)),
        ("{epochs: 30}", StopRule(0.9, None, 30.0)),
        ("{at: null, epochs: 0.5}", StopRule(None, None, 0.5)),
        ("{at: null}", StopRule(None)),
        ("null", None),
    ],
)
def test_what_a_rule_becomes(stop: str, expected: StopRule | None) -> None:
    assert rule(stop) == expected


def test_without_a_rule_a_benchmark_stops_at_its_own_target() -> None:
    made = plan()
    assert made.studies[0].protocol.stop is None
    assert describe_stop(made.benchmarks["fake/job"], None) == "until accuracy 0.9"


def test_a_rule_for_the_suite_passes_over_what_has_no_curve() -> None:
    made = plan("protocol: {stop: {epochs: 3}}", benchmarks="[fake/job, fake/kernel]")
    assert [s.protocol.stop for s in made.studies] == [StopRule(0.9, None, 3.0), None]


def test_a_benchmark_has_its_own_rule_and_may_take_the_suites_back() -> None:
    benchmarks = """
  - fake/job: {}
    as: quick
    protocol: {stop: {epochs: 1}}
  - fake/job: {}
    as: whole
    protocol: {stop: null}
  - fake/job: {}
    as: suites"""
    made = plan("protocol: {stop: {at: accuracy-97, train: 20}}", benchmarks=benchmarks)
    assert [s.protocol.stop for s in made.studies] == [
        StopRule(0.97, 20.0, 1.0),
        None,
        StopRule(0.97, 20.0),
    ]


def test_prices_are_the_suites_or_the_benchmarks() -> None:
    benchmarks = """
  - fake/job: {}
    as: dear
    price: {dollars_per_hour: 24.48}
  - fake/job: {}
    as: free
    price: null
  - fake/job: {}
    as: suites"""
    made = plan("price: {dollars_per_hour: 3.06}", benchmarks=benchmarks)
    assert [s.dollars_per_hour for s in made.studies] == [24.48, None, 3.06]
    assert plan().studies[0].dollars_per_hour is None


def test_suites_without_a_rule_keep_their_key() -> None:
    made = plan(targets="", benchmarks="[fake/kernel]")
    protocol = asdict(MeasurementProtocol())
    # the fields of a protocol before there were curves
    for name in ("stop", "seed"):
        del protocol[name]
    measured = json.dumps(
        {"name": "fake/kernel", "options": {}, "protocol": protocol},
        sort_keys=True,
        separators=(",", ":"),
    )
    text = json.dumps(["mine", [measured]], sort_keys=True, separators=(",", ":"))
    assert made.suite_key == hashlib.sha256(text.encode()).hexdigest()
    assert plan(
        "price: {dollars_per_hour: 1}", targets="", benchmarks="[fake/kernel]"
    ).suite_key == (made.suite_key)
    stopped = plan("protocol: {stop: {epochs: 1}}", targets="")
    assert stopped.suite_key != plan(targets="").suite_key


def test_the_conclusion_counts_in_the_worst_case() -> None:
    made = plan(benchmarks="[fake/job, fake/kernel]")
    job, kernel = (
        study_bound(study, made.benchmarks[study.benchmark]).seconds for study in made.studies
    )
    assert job == pytest.approx(kernel * 4 / 3)


def test_a_timeout_below_the_rule_is_warned_of() -> None:
    made = plan("protocol: {stop: {train: 60s}, timeout: 30s}")
    assert (
        "fake/job: the timeout (30 s) ends training before its stop rule does (60 s of training); "
        "raise 'timeout'"
    ) in made.warnings
    assert not any(
        "timeout" in w for w in plan("protocol: {stop: {train: 60s}, timeout: 2min}").warnings
    )


def test_the_schema_knows_rules_and_prices() -> None:
    import jsonschema

    validator = jsonschema.Draft202012Validator(suite_schema())
    good = {
        "suite": 1,
        "name": "s",
        "benchmarks": [{"fake/job": None, "price": {"dollars_per_hour": 1}}],
        "optimizers": ["random"],
        "protocol": {"stop": {"at": "x", "train": "60s", "epochs": 3}},
        "price": {"dollars_per_hour": 3.06},
    }
    assert not list(validator.iter_errors(good))
    for spoilt in (
        {"price": {"dollars_per_hour": -1}},
        {"price": {"euros": 1}},
        {"price": 3},
        {"protocol": {"stop": {"epoch": 3}}},
        {"protocol": {"stop": {"epochs": 0}}},
    ):
        assert list(validator.iter_errors(good | spoilt)), spoilt


# -- what people are told

CASES = {
    "unknown target": (
        "[fake/job]",
        "protocol: {stop: {at: acuracy-97}}",
        """\
        s.yaml:11:19: protocol.stop.at: unknown target of fake/job 'acuracy-97'
          expected: one of accuracy-0.8, accuracy-0.95, accuracy-97
          did you mean: accuracy-97""",
    ),
    "relative target": (
        "[fake/job]",
        "protocol: {stop: {at: expert}}",
        """\
        s.yaml:11:19: protocol.stop.at: target 'expert' is relative to the reference 'expert': \
what it is worth is known only after measuring
          expected: an absolute target
          remedy: add 'targets: {NAME: {metric: accuracy, value: NUMBER}}' to the suite""",
    ),
    "another metric": (
        "[fake/job]",
        "protocol: {stop: {at: loss}}",
        """\
        s.yaml:11:19: protocol.stop.at: target 'loss' is one of 'loss', the progress curve of \
fake/job is of 'accuracy'
          expected: a target of 'accuracy'
          remedy: add 'targets: {NAME: {metric: accuracy, value: NUMBER}}' to the suite""",
    ),
    "no curve at all": (
        "[fake/kernel]",
        "protocol: {stop: {epochs: 3}}",
        """\
        s.yaml:11:12: protocol.stop: fake/kernel has no progress curve that could be stopped
          expected: a training job: a benchmark whose trials stream events
          remedy: remove 'stop'; repetition is bounded by 'repeats', time by 'timeout'""",
    ),
    "no curve where it is asked for": (
        "[fake/job, {fake/kernel: {}, protocol: {stop: {epochs: 3}}}]",
        "",
        """\
        s.yaml:5:53: benchmarks[1].protocol.stop: fake/kernel has no progress curve that could be \
stopped
          expected: a training job: a benchmark whose trials stream events
          remedy: remove 'stop'; repetition is bounded by 'repeats', time by 'timeout'""",
    ),
    "nothing to reach": (
        "[fake/open]",
        "",
        """\
        s.yaml:5:14: benchmarks[0]: fake/open has no target of its own, so that its \
time_to_target is undefined
          expected: a target of 'accuracy' to stop at
          remedy: add 'targets: {NAME: {metric: accuracy, value: NUMBER}}' and 'protocol: \
{stop: {at: NAME}}'""",
    ),
    "a number for a name": (
        "[fake/job]",
        "protocol: {stop: {at: 0.97}}",
        """\
        s.yaml:11:19: protocol.stop.at: wrong type: the number 0.97
          expected: text""",
    ),
    "negative training": (
        "[fake/job]",
        "protocol: {stop: {train: -1}}",
        None,
    ),
    "no epochs": (
        "[fake/job]",
        "protocol: {stop: {epochs: 0}}",
        None,
    ),
    "unknown key": (
        "[fake/job]",
        "protocol: {stop: {epoch: 3}}",
        None,
    ),
    "a word for a rule": (
        "[fake/job]",
        "protocol: {stop: accuracy-97}",
        None,
    ),
    "a negative price": (
        "[fake/job]",
        "price: {dollars_per_hour: -3}",
        None,
    ),
    "an endless price": (
        "[fake/job]",
        "price: {dollars_per_hour: .inf}",
        None,
    ),
    "a price without its name": (
        "[fake/job]",
        "price: 3.06",
        None,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_messages(case: str, tmp_path: Path) -> None:
    benchmarks, line, expected = CASES[case]
    path = tmp_path / "s.yaml"
    path.write_text(HEAD + f"benchmarks: {benchmarks}\n" + TARGETS + line + "\n")
    with pytest.raises(SuiteError) as caught:
        plan_suite(load_suite(path), training_suite_registry())
    said = str(caught.value).replace(f"{tmp_path}/", "")
    if expected is not None:
        assert said == textwrap.dedent(expected)
    assert caught.value.line in (5, 11)
    assert caught.value.field is not None
    assert caught.value.field.startswith(("protocol.stop", "price", "benchmarks"))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("misspelt", "a curve of 'acuracy', which is none of its metrics; did it mean 'accuracy'?"),
        ("milliseconds", "'time_to_target' in 'ms', minimize: s, minimize"),
        ("unbounded", "a curve with the target inf, no finite number"),
    ],
)
def test_a_target_that_describes_its_curve_badly_is_named(name: str, says: str) -> None:
    with pytest.raises(PluginError, match="target 'fake': benchmark") as caught:
        plan(benchmarks=f"[fake/{name}]", targets="")
    assert says in str(caught.value)
