"""Whatever a candidate does, its trial ends with the right failure kind and the bench goes on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from measure_support import open_nasty, processes_with, wait_until
from nasty_target import compile_library

from daybreak.errors import RequirementError
from daybreak.measure import Bench
from daybreak.measure.sandbox import Sandbox, choose_sandbox
from daybreak.records import FailureKind, TrialStatus

COMBINATIONS = [
    ("fork", Sandbox.BUBBLEWRAP),
    ("fork", Sandbox.NAMESPACES),
    ("fork", Sandbox.LIMITS),
    ("worker", Sandbox.BUBBLEWRAP),
    ("worker", Sandbox.LIMITS),
]

#: act -> failure kind (None: the trial succeeds), and words of the message.
EXPECTED: dict[str, tuple[str | None, str]] = {
    "segfault": ("crash", "SIGSEGV"),
    "corrupt_heap": ("crash", "SIG"),
    "divide": ("crash", "SIGFPE"),
    "abort": ("crash", "SIGABRT"),
    "exit": ("crash", "status 0"),
    "sys_exit": ("crash", "status 3"),
    "kill_self": ("crash", "SIGKILL"),
    "bad_alloc": ("memory", "out of memory"),
    "hog": ("memory", "out of memory"),
    "flood": ("resource", "printed more than 1048576 bytes"),
    "huge_file": ("resource", "SIGXFSZ"),
    "c_file": ("resource", "SIGXFSZ"),
    "rubbish": ("crash", "corrupted the channel"),
    "forge": ("crash", "corrupted the channel"),
    "close_all": ("crash", ""),
    "children": (None, ""),
    "daemon": (None, ""),
    "interrupt_self": (None, ""),
    "need": ("missing_requirement", "no such compiler"),
    "refuse": ("build", "the compiler refused"),
    "overflow": ("resource", "too many blocks"),
    "recurse": ("internal", "RecursionError"),
    "raise": ("internal", "ZeroDivisionError"),
    "print": ("internal", "after printing"),
}


@pytest.fixture(scope="module", params=COMBINATIONS, ids="-".join)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """An isolation and a sandbox; at the end no process may be left behind."""
    isolation, sandbox = request.param
    mark = uuid.uuid4().hex
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYBREAK_SANDBOX", sandbox.value)
        patch.setenv("DAYBREAK_TEST_MARK", mark)
        binary = compile_library(tmp_path_factory.mktemp("nasty"))
        patch.setenv("DAYBREAK_NASTY_LIBRARY", str(binary))
        try:
            choose_sandbox()
        except RequirementError as error:
            pytest.skip(str(error))
        yield isolation, sandbox.value
        assert wait_until(lambda: not processes_with("DAYBREAK_TEST_MARK", mark)), (
            "processes were left behind"
        )


@pytest.fixture(scope="module")
def nasty(place: tuple[str, str]) -> Iterator[tuple[Bench, str, str]]:
    """One bench for all the acts: it has to go on after each of them."""
    with open_nasty(place[0]) as bench:
        yield bench, *place


@pytest.fixture(scope="module")
def hasty(place: tuple[str, str]) -> Iterator[Bench]:
    """A bench with little time for each phase."""
    with open_nasty(place[0], timeout_s=0.5) as bench:
        yield bench


def assert_goes_on(bench: Bench) -> None:
    outcome = bench.measure({})
    assert outcome.status is TrialStatus.OK, (outcome.message, outcome.detail)
    assert outcome.objectives == {"time": 1.0}


@pytest.mark.parametrize("act", EXPECTED)
def test_a_misbehaving_build_is_classified(nasty: tuple[Bench, str, str], act: str) -> None:
    bench, _, sandbox = nasty
    kind, words = EXPECTED[act]
    outcome = bench.measure({"act": act, "phase": "build"})
    if kind is None:
        assert outcome.status is TrialStatus.OK, outcome.message
    else:
        assert outcome.status is TrialStatus.FAILED
        assert outcome.failure_kind == kind, (outcome.message, outcome.detail)
        assert words in (outcome.message or "")
        assert outcome.objectives == {"time": None}
        assert "verify" not in outcome.phases
    assert outcome.facts["sandbox"] == sandbox
    assert_goes_on(bench)


@pytest.mark.parametrize("phase", ["build", "verify", "measure"])
@pytest.mark.parametrize("act", ["hang", "spin"])
def test_a_hang_in_any_phase_is_a_timeout(hasty: Bench, act: str, phase: str) -> None:
    outcome = hasty.measure({"act": act, "phase": phase})
    assert outcome.failure_kind is FailureKind.TIMEOUT
    assert phase in (outcome.message or "")
    assert outcome.phases[phase] >= 0.5
    assert_goes_on(hasty)


@pytest.mark.parametrize("phase", ["verify", "measure"])
@pytest.mark.parametrize("act", ["segfault", "raise", "exit", "flood", "rubbish"])
def test_later_phases_are_watched_alike(
    nasty: tuple[Bench, str, str], act: str, phase: str
) -> None:
    bench, _, _ = nasty
    outcome = bench.measure({"act": act, "phase": phase})
    assert outcome.failure_kind == EXPECTED[act][0]
    assert phase in (outcome.message or "") or act == "rubbish"
    assert "build" in outcome.phases
    assert_goes_on(bench)


def test_a_trial_that_closes_its_pipes_and_hangs_is_ended(nasty: tuple[Bench, str, str]) -> None:
    bench, _, _ = nasty
    outcome = bench.measure({"act": "close_and_hang", "phase": "measure"})
    assert outcome.failure_kind in (FailureKind.CRASH, FailureKind.TIMEOUT)
    assert_goes_on(bench)


def test_killing_the_parent_costs_one_trial(nasty: tuple[Bench, str, str]) -> None:
    bench, isolation, sandbox = nasty
    if isolation == "worker" and sandbox == "limits":
        pytest.skip("without a namespace of its own, the worker's parent is this very process")
    outcome = bench.measure({"act": "kill_parent", "phase": "build"})
    # The first process of a namespace cannot be killed from inside: there it is no failure.
    assert outcome.failure_kind in (FailureKind.CRASH, None)
    assert_goes_on(bench)


def test_wrong_results_and_bad_samples_fail(nasty: tuple[Bench, str, str]) -> None:
    bench, _, _ = nasty
    wrong = bench.measure({"wrong": True})
    assert wrong.failure_kind is FailureKind.WRONG_RESULT
    assert wrong.facts["error"] == 13.0
    assert wrong.facts["tolerance"] == 1e-10
    assert "measure" not in wrong.phases
    for value in ("nan", "inf", -1.0):
        outcome = bench.measure({"values": (value,)})
        assert outcome.failure_kind is FailureKind.WRONG_RESULT, value
    nothing = bench.measure({"values": ()})
    assert nothing.failure_kind is FailureKind.INTERNAL
    assert "no sample" in (nothing.message or "")
    assert_goes_on(bench)


def test_what_was_printed_is_in_the_detail(nasty: tuple[Bench, str, str]) -> None:
    bench, _, _ = nasty
    outcome = bench.measure({"act": "print", "phase": "verify"})
    assert "said on stdout" in (outcome.detail or "")
    assert "said on stderr" in (outcome.detail or "")
    assert "ValueError" in (outcome.detail or "")
    assert "said on" not in (bench.measure({"act": "raise", "phase": "verify"}).detail or "")


def test_a_late_death_keeps_what_was_measured(nasty: tuple[Bench, str, str]) -> None:
    bench, _, _ = nasty
    outcome = bench.measure({"after": "abort"})
    assert outcome.failure_kind is FailureKind.CRASH
    assert [event.value for event in outcome.events] == [0.5, 0.25]
    assert "time" in {sample.metric for sample in outcome.samples}
    assert outcome.phases.keys() == {"build", "verify", "measure"}
    assert_goes_on(bench)


def test_a_fork_survives_in_one_worker_and_a_worker_counts_on(
    nasty: tuple[Bench, str, str],
) -> None:
    bench, isolation, _ = nasty

    def counted() -> float:
        outcome = bench.measure({})
        return next(sample.value for sample in outcome.samples if sample.metric == "trials")

    first, second = counted(), counted()
    assert second == (first if isolation == "fork" else first + 1)
    crashed = bench.measure({"act": "abort", "phase": "build"})
    assert crashed.failure_kind is FailureKind.CRASH
    after = bench.measure({})
    assert ("reopened_s" in after.facts) == (isolation == "worker")


def test_strays_of_a_fork_are_gone_before_the_next_trial(nasty: tuple[Bench, str, str]) -> None:
    bench, isolation, _ = nasty
    if isolation != "fork":
        pytest.skip("a worker's strays end with the worker")
    outcome = bench.measure({"act": "children", "phase": "build"})
    assert outcome.status is TrialStatus.OK
    assert outcome.facts["strays_killed"] >= 4


def test_a_process_that_hops_ends_with_its_namespace(nasty: tuple[Bench, str, str]) -> None:
    bench, isolation, sandbox = nasty
    if isolation != "fork" or sandbox == "limits":
        pytest.skip("a process that forks faster than it is killed ends with a namespace only")
    outcome = bench.measure({"act": "hop", "phase": "build"})
    assert outcome.status is TrialStatus.OK
    after = bench.measure({})
    assert after.status is TrialStatus.OK
    # Either it was caught, or the worker was given up for it.
    assert outcome.facts["strays_killed"] >= 1 or "reopened_s" in after.facts


def test_bubblewrap_keeps_files_and_network_out(nasty: tuple[Bench, str, str]) -> None:
    bench, _, sandbox = nasty
    network = bench.measure({"act": "network", "phase": "build"})
    if sandbox == "limits":
        return
    assert network.failure_kind is FailureKind.INTERNAL
    assert "unreachable" in (network.message or "")
    if sandbox == "bubblewrap":
        outcome = bench.measure({"act": "write_home", "phase": "build"})
        assert "Read-only" in (outcome.message or ""), outcome
