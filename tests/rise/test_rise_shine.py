"""The adapter to Shine: the protocol's text, and a program that speaks it well or badly."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import psutil
import pytest

from daybreak import BuildFailed, FailureKind, MeasurementProtocol, Sample, TrialFailed
from daybreak_rise.shine.protocol import Malformed, is_header, parse_answer, request
from daybreak_rise.shine.session import ShineSession
from daybreak_rise.target import RiseTarget

PROGRAM = Path(__file__).with_name("rise_shine.py")
WHERE = {"x": 4, "order": (0, 2, 1)}


def session(behaviour: str, mode: str, seconds: float = 10.0) -> ShineSession:
    command = shlex.join([sys.executable, str(PROGRAM), behaviour, mode])
    options = {
        "n": 1024, "backend": "shine", "shine": command, "shine_folder": None,
        "shine_mode": mode, "shine_timeout": seconds, "compiler": None, "flags": "-O3",
    }  # fmt: skip
    target = RiseTarget()
    made = target.open(target.define("mm-cpu", options))
    assert isinstance(made, ShineSession)
    return made


def test_request_is_the_published_text():
    assert request([WHERE]) == "Request 1\nx,order\n4,(0,2,1)\n"
    assert request([{"a": 1, "b": 2}, {"a": 3, "b": 4}]) == "Request 2\na,b\n1,2\n3,4\n"


def test_answers_are_read():
    header = "x,order,runtime,Valid"
    assert is_header(header, WHERE)
    assert not is_header("[info] x", WHERE)
    assert parse_answer(header, "4,(0,2,1),12.5,True", WHERE).runtime == 12.5
    assert (
        parse_answer("order, x, Valid, runtime", "(0, 2, 1), 4.0, true, 1e2", WHERE).runtime == 100
    )
    assert parse_answer(header, "4,(0,2,1),12.5,False", WHERE).runtime is None
    assert parse_answer(header, "4,(0,2,1),-1,False", WHERE).runtime is None
    assert parse_answer(header, "4,(0,2,1),2147483647,True", WHERE).runtime is None
    assert parse_answer("x,order,runtime", "4,(0,2,1),3", WHERE).runtime == 3


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("x,order,runtime,Valid", "4,(0,2,1),12.5", "3 values under 4 names"),
        ("x,order,runtime,Valid", "5,(0,2,1),12.5,True", "x = 5, not 4"),
        ("x,order,runtime,Valid", "4,(0,1,2),12.5,True", "order"),
        ("x,order,runtime,Valid", "4,(0,2,1),slow,True", "no number"),
        ("x,order,runtime,Valid", "4,(0,2,1),nan,True", "nan"),
        ("x,order,runtime,Valid", "4,(0,2,1),-3,True", "-3"),
        ("x,order,runtime,Valid", "4,(0,2,1),3,Maybe", "neither True nor False"),
        ("x,runtime,Valid", "4,12.5,True", "no column 'order'"),
        ("x,order,Valid", "4,(0,2,1),True", "no column 'runtime'"),
    ],
)
def test_malformed_answers_are_told_apart(header, row, said):
    with pytest.raises(Malformed, match=said):
        parse_answer(header, row, WHERE)


@pytest.mark.parametrize("mode", ["pipe", "spawns"])
def test_a_program_is_asked_and_asked_again(mode):
    with session("good", mode) as opened:
        built = opened.build(WHERE)
        assert opened.verify(built).correct
        stream = opened.measure(built, MeasurementProtocol())
        assert [next(stream) for _ in range(3)] == [Sample("time", 7.0, i) for i in range(3)]
        with pytest.raises(BuildFailed, match="invalid"):
            opened.build({"x": 3, "order": (0, 2, 1)})
        assert opened.build({"x": 5, "order": (0, 2, 1)}).first == 8.0


def test_what_it_prints_besides_is_passed_over():
    with session("noise", "pipe") as opened:
        assert opened.build(WHERE).first == 7.0


@pytest.mark.parametrize("behaviour", ["short", "other", "text", "maybe", "negative", "endless"])
def test_nonsense_fails_the_trial_and_the_next_one_starts_anew(behaviour):
    with session(behaviour, "pipe") as opened:
        for _ in range(2):
            with pytest.raises(TrialFailed) as caught:
                opened.build(WHERE)
            assert caught.value.kind is FailureKind.CRASH


def test_a_crash_fails_the_trial_with_what_was_printed():
    with session("die", "spawns") as opened:
        with pytest.raises(TrialFailed, match="ended without an answer") as caught:
            opened.build(WHERE)
        assert caught.value.kind is FailureKind.CRASH
        assert "OutOfMemoryError" in (caught.value.detail or "")


def test_after_a_crash_it_is_started_again():
    with session("once", "pipe") as opened:
        built = opened.build(WHERE)
        stream = opened.measure(built, MeasurementProtocol())
        next(stream)
        with pytest.raises(TrialFailed):
            next(stream)
        assert opened.build(WHERE).first == 7.0


@pytest.mark.parametrize(("behaviour", "mode"), [("hang", "pipe"), ("silent", "spawns")])
def test_a_hang_is_a_timeout_and_leaves_nothing_behind(behaviour, mode):
    before = set(psutil.Process().children(recursive=True))
    with session(behaviour, mode, seconds=0.5) as opened:
        began = time.monotonic()
        with pytest.raises(TrialFailed) as caught:
            opened.build(WHERE)
        assert caught.value.kind is FailureKind.TIMEOUT
        assert time.monotonic() - began < 20
    assert set(psutil.Process().children(recursive=True)) <= before


def test_a_command_that_ends_at_once_is_named():
    with session("good", "spawns") as opened:
        opened._link._command = [sys.executable, "-c", "print('no such task')"]
        with pytest.raises(TrialFailed, match="before it started the tuner"):
            opened.build(WHERE)


def test_missing_program_and_folder_are_requirements():
    target = RiseTarget()
    benchmark = target.define(
        "mm-cpu",
        {
            "n": 64, "backend": "shine", "shine": "no-such-sbt run", "shine_folder": "/no/shine",
            "shine_mode": "spawns", "shine_timeout": 1.0,
        },
    )  # fmt: skip
    assert benchmark.instance == "n64-shine"
    unmet = [one for one in target.demands(benchmark) if not one.met]
    assert {one.name for one in unmet} == {"Shine", "Shine's command"}
    assert all(one.remedy for one in unmet)
