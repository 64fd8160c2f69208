"""What a target lacks is said before anything runs, or set up for the user."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
import run_fakes
from run_fakes import Bowl, registry

from daybreak import Benchmark, Budget, MeasurementProtocol, Requirement, RequirementError
from daybreak.records import StudyPlan
from daybreak.run.prepare import prepare

PLAN = StudyPlan(
    benchmark="fake/bowl",
    target="fake",
    name="bowl",
    options={},
    optimizer="random",
    component="random",
    optimizer_options={},
    seed=0,
    budget=Budget(evaluations=1),
    protocol=MeasurementProtocol(),
)


class Lacking(Bowl):
    there = False

    def check(self) -> Iterable[Requirement]:
        yield Requirement("python", met=True)
        yield Requirement(
            "ladle", met=Lacking.there, detail="no ladle is installed", remedy="install ladle"
        )


class SetsItselfUp(Lacking):
    def setup(self, progress: Any, *, force: bool = False) -> str:
        progress(0.5, "forging")
        Lacking.there = True
        return "the ladle is here"


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lacking, "there", False)


def test_what_is_missing_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_fakes, "Bowl", Lacking)
    with pytest.raises(RequirementError) as caught:
        prepare([PLAN], registry())
    assert str(caught.value).splitlines() == [
        "target 'fake' cannot run here: no ladle is installed",
        "  expected: ladle",
        "  remedy: install ladle",
    ]


def test_a_target_that_can_is_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_fakes, "Bowl", SetsItselfUp)
    said: list[tuple[str, float | None, str]] = []
    prepare([PLAN], registry(), lambda *event: said.append(event))
    assert said == [("fake", 0.5, "forging")]


def test_nothing_missing_is_silent() -> None:
    prepare([PLAN], registry())


class Picky(Bowl):
    """The ladle is needed by some benchmarks only."""

    demanding = True

    def check(self) -> Iterable[Requirement]:
        yield Requirement("ladle", met=False, detail="no ladle", remedy="forge it", needed=False)

    def demands(self, benchmark: Benchmark) -> Iterable[Requirement]:
        assert benchmark.name == "bowl"
        if Picky.demanding:
            yield Requirement("ladle", met=False, detail="no ladle", remedy="forge it")


@pytest.mark.parametrize("demanding", [True, False])
def test_what_only_some_benchmarks_need_stops_only_those(
    monkeypatch: pytest.MonkeyPatch, demanding: bool
) -> None:
    monkeypatch.setattr(run_fakes, "Bowl", Picky)
    monkeypatch.setattr(Picky, "demanding", demanding)
    if not demanding:
        prepare([PLAN], registry())
        return
    with pytest.raises(RequirementError, match="no ladle"):
        prepare([PLAN], registry())
