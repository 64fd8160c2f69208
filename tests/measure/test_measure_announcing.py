"""What sessions say of how far they are is shown, bounded, and never breaks a trial."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measure_support import wait_until

from daybreak.measure import Bench, Doing, open_bench
from daybreak.measure.announcing import Announcer, announcing, decode_doing, encode_doing
from daybreak.measure.wire import FrameReader, GarbledError, offer_frame
from daybreak.plugin.specs import Isolation
from daybreak.records import (
    FailureKind,
    Limits,
    MeasurementProtocol,
    Metric,
    Outcome,
    Repeats,
    TrialStatus,
)

BOTH = ["worker", "fork"]


class Listener:
    """Keeps what it is told, and lets the session know."""

    def __init__(self, bench: Bench, file: Path) -> None:
        self.bench, self.file = bench, file
        self.heard: list[Doing] = []

    def __call__(self, doing: Doing) -> None:
        self.heard.append(doing)
        with self.file.open("a") as file:
            file.write(doing.text + "\n")

    def measure(self, how: str) -> tuple[Outcome, list[Doing]]:
        self.heard = []
        self.file.write_text("")
        return self.bench.measure({"how": how}, on_progress=self), self.heard


@contextmanager
def opened(isolation: str, file: Path, timeout_s: float = 30.0) -> Iterator[Listener]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        patch.setenv("DAYBREAK_SANDBOX", "limits")
        patch.setenv("DAYBREAK_HEARD", str(file))
        file.write_text("")
        with open_bench(
            factory="announcing_target:Target",
            name="talker",
            options={},
            protocol=MeasurementProtocol(timeout_s=timeout_s, repeats=Repeats(2, 5000, 0.01)),
            limits=Limits(),
            isolation=Isolation(isolation),
            objectives=(Metric("time", "s"),),
        ) as bench:
            yield Listener(bench, file)


@pytest.fixture(scope="module", params=BOTH)
def talker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with opened(request.param, tmp_path_factory.mktemp("talker") / "heard") as listener:
        yield listener


# -- what is said


def test_the_newest_of_a_burst_is_told(talker: Listener) -> None:
    outcome, heard = talker.measure("steps")
    assert outcome.status is TrialStatus.OK
    assert outcome.facts["counted"] == 1  # opening: at other times the function is its own
    assert Doing("build", None, "generating") in heard
    # of a hundred in a row the last one stands, because nothing came after it for long
    assert Doing("build", 1.0, "pass 100") in heard
    assert len(heard) <= 4 * outcome.phases["build"] + 5
    assert {doing.phase for doing in heard} <= {"build", "verify", "measure"}


def test_what_takes_long_is_told_again(talker: Listener) -> None:
    outcome, heard = talker.measure("long")
    assert outcome.status is TrialStatus.OK
    assert 2 <= heard.count(Doing("build", None, "thinking")) <= outcome.phases["build"] + 1


def test_a_measurement_is_not_disturbed_by_telling_again(talker: Listener) -> None:
    _, heard = talker.measure("measuring")
    assert heard.count(Doing("measure", 0.5, "running")) <= 1


def test_a_flood_breaks_nothing_and_is_not_passed_on(talker: Listener) -> None:
    outcome, heard = talker.measure("flood")
    assert outcome.status is TrialStatus.OK
    assert 1 <= len(heard) <= 4 * outcome.phases["build"] + 5


def test_nonsense_is_made_harmless(talker: Listener) -> None:
    outcome, heard = talker.measure("nonsense")
    assert outcome.status is TrialStatus.OK
    assert Doing("build", 0.5, "sane") in heard
    for doing in heard:
        assert doing.done is None or 0 <= doing.done <= 1
        assert doing.text.isprintable()
        assert len(doing.text) <= 100


def test_a_process_that_the_session_forks_is_not_heard(talker: Listener) -> None:
    outcome, heard = talker.measure("forks")
    assert outcome.status is TrialStatus.OK
    assert Doing("build", None, "parent") in heard
    assert not any("child" in doing.text for doing in heard)


def test_threads_may_talk_into_the_measurement_and_beyond_the_trial(talker: Listener) -> None:
    outcomes = [talker.measure("threads")[0] for _ in range(3)]
    assert [outcome.status for outcome in outcomes] == [TrialStatus.OK] * 3


def test_nobody_needs_to_listen(talker: Listener) -> None:
    talker.file.write_text("waiting\n")
    outcome = talker.bench.measure({"how": "once"})
    assert outcome.status is TrialStatus.OK


def test_inline_the_sessions_own_function_is_called(tmp_path: Path) -> None:
    (tmp_path / "heard").write_text("")
    with opened("inline", tmp_path / "heard") as listener:
        outcome, heard = listener.measure("long")
    assert (outcome.facts["counted"], heard) == (2, [])


def test_a_listener_that_holds_things_up_is_not_the_trials_fault(tmp_path: Path) -> None:
    class Held(Listener):
        def __call__(self, doing: Doing) -> None:
            super().__call__(doing)
            time.sleep(2.5)

    with opened("worker", tmp_path / "heard", timeout_s=2.0) as listener:
        outcome, heard = Held(listener.bench, listener.file).measure("noticed")
        assert outcome.status is TrialStatus.OK, outcome.message
        assert heard
        # but who is late is late, whatever is said meanwhile
        outcome, heard = listener.measure("long")
    assert outcome.failure_kind is FailureKind.TIMEOUT
    assert Doing("build", None, "thinking") in heard


# -- the parts


class Sink:
    """Takes messages, or says that it would have to wait."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.full = False

    def __call__(self, message: Any) -> bool:
        if not self.full:
            self.taken.append(message["progress"])
        return not self.full


@pytest.fixture
def sink() -> Sink:
    return Sink()


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=120)
VALUES = PLAIN | st.lists(PLAIN, max_size=4) | st.lists(st.lists(PLAIN, max_size=2), max_size=2)


@settings(deadline=None)
@given(VALUES, VALUES)
def test_whatever_is_said_arrives_whole_or_not_at_all(done: Any, text: Any) -> None:
    sink = Sink()
    Announcer(sink)(done, text)
    (message,) = sink.taken
    found = decode_doing(json.loads(json.dumps(message)))
    assert encode_doing(found) == {"progress": message}
    assert found.phase == "build"
    assert len(found.words) <= 106


@settings(deadline=None)
@given(VALUES | st.tuples(st.text(max_size=3), PLAIN, PLAIN).map(list))
def test_any_json_is_refused_or_is_something_to_show(value: Any) -> None:
    with suppress(GarbledError):
        found = decode_doing(value)
        assert found.text.isprintable()
        assert found.done is None or 0 <= found.done <= 1


@pytest.mark.parametrize(
    "value",
    [
        ["build", 2.0, ""],
        ["build", float("nan"), ""],
        ["build", None, "two\nlines"],
        ["build", None, "x" * 101],
        ["build", None],
        ["build", 10**400, ""],
        "build",
        None,
    ],
)
def test_a_forged_announcement_is_refused(value: Any) -> None:
    with pytest.raises(GarbledError):
        decode_doing(value)


def test_words_name_the_phase_where_nothing_else_is_known() -> None:
    assert Doing("verify").words == "verify"
    assert Doing("build", 0.704, "routing").words == "routing 70 %"


def test_of_a_flood_a_few_arrive_and_the_last_one_does(sink: Sink) -> None:
    announcer = Announcer(sink)
    began = time.monotonic()
    for i in range(100_000):
        announcer(None, str(i))
    took = time.monotonic() - began
    assert wait_until(lambda: sink.taken[-1][2] == "99999")
    assert len(sink.taken) <= 10 * took + 3
    # the same again is no news
    before = len(sink.taken)
    for _ in range(3):
        announcer(None, "99999")
    time.sleep(0.3)
    assert len(sink.taken) == before
    assert wait_until(lambda: "daybreak-progress" not in {t.name for t in threading.enumerate()})


def test_what_could_not_be_sent_is_sent_later_unless_its_phase_is_over(sink: Sink) -> None:
    announcer = Announcer(sink)
    sink.full = True
    announcer(None, "old")
    announcer.enter("verify")
    announcer(None, "new")
    time.sleep(0.25)
    sink.full = False
    assert wait_until(lambda: sink.taken)
    time.sleep(0.25)
    assert sink.taken == [["verify", None, "new"]]


def test_nobody_is_told_after_the_trial_and_the_session_has_its_own_back(sink: Sink) -> None:
    class Session:
        progress: Any = None

    session = Session()
    session.progress = own = lambda *_: None
    with announcing(session, sink) as announcer:
        assert session.progress is announcer
        session.progress(None, "now")
        kept = session.progress
    assert session.progress is own
    kept(None, "too late")
    assert [one[2] for one in sink.taken] == ["now"]


class WithMethod:
    def progress(self) -> float:
        return 0.5


class WithProperty:
    @property
    def progress(self) -> Any:
        return print


class WithSlot:
    __slots__ = ("progress",)

    def __init__(self, progress: Any) -> None:
        self.progress = progress


class WithStatic:
    progress = staticmethod(print)


class Raising:
    @property
    def progress(self) -> Any:
        raise RuntimeError("not yet")


@pytest.mark.parametrize(
    ("session", "heard"),
    [
        (object(), False),
        (WithMethod(), False),
        (WithProperty(), False),
        (Raising(), False),
        (WithSlot(0.5), False),
        (WithSlot(print), True),
        (WithStatic(), True),
    ],
)
def test_a_progress_that_means_something_else_is_left_alone(session: Any, heard: bool) -> None:
    before = None if isinstance(session, Raising) else getattr(session, "progress", None)
    with announcing(session, lambda _: True) as announcer:
        assert (announcer is not None) == heard
        if not isinstance(session, Raising):
            assert (getattr(session, "progress", None) != before) == heard
    if not isinstance(session, Raising):
        assert getattr(session, "progress", None) == before


def test_a_channel_that_is_gone_raises_nothing() -> None:
    def gone(_: Any) -> bool:
        raise BrokenPipeError

    announcer = Announcer(gone)
    announcer(0.5, "words")
    announcer.enter("verify")


def test_a_message_waits_for_nobody() -> None:
    """Also not for a thread that is in the middle of one, or a signal's handler would wait for ever."""
    inside, leave, sent = threading.Event(), threading.Event(), []

    def slow(message: Any) -> bool:
        sent.append(message["progress"][2])
        inside.set()
        return leave.wait(10.0)

    announcer = Announcer(slow)
    thread = threading.Thread(target=announcer, args=(None, "first"))
    thread.start()
    assert inside.wait(10.0)
    announcer(None, "second")
    assert sent == ["first"]
    leave.set()
    thread.join(10.0)
    assert wait_until(lambda: sent == ["first", "second"])


def test_a_full_pipe_takes_nothing_and_does_not_wait() -> None:
    reading, writing = os.pipe()
    try:
        count = 0
        while offer_frame(writing, {"n": count, "text": "x" * 1000}):
            count += 1
        assert count > 10
        reader = FrameReader(reading)
        assert [reader.receive()["n"] for _ in range(count)] == list(range(count))
        assert offer_frame(writing, {})
        assert not offer_frame(writing, {"text": "x" * 10_000})
    finally:
        os.close(reading)
        os.close(writing)
