"""Frames and records over the wire, also when the other end writes rubbish."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.measure.codec import (
    decode_configuration,
    decode_limits,
    decode_metrics,
    decode_outcome,
    decode_protocol,
    encode_outcome,
    encode_record,
)
from daybreak.measure.wire import FrameReader, GarbledError, encode_frame, write_frame
from daybreak.records import (
    Direction,
    Event,
    FailureKind,
    Limits,
    MeasurementProtocol,
    Metric,
    Outcome,
    Repeats,
    Sample,
    TrialStatus,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    os.set_blocking(ends[0], False)
    yield ends
    for fd in ends:
        os.close(fd)


def through(data: bytes, pieces: int = 1) -> list[object]:
    read, write = os.pipe()
    os.set_blocking(read, False)
    try:
        reader, found = FrameReader(read), []
        step = max(1, len(data) // pieces)
        for start in range(0, len(data), step):
            os.write(write, data[start : start + step])
            reader.feed()
            found += list(reader.frames())
        return found
    finally:
        os.close(read)
        os.close(write)


@given(st.lists(st.dictionaries(st.text(), json_values, max_size=4), max_size=4), st.integers(1, 9))
def test_frames_arrive_whole_however_they_are_cut(
    messages: list[dict[str, object]], pieces: int
) -> None:
    data = b"".join(encode_frame(message) for message in messages)
    assert through(data, pieces) == messages


@given(st.binary(min_size=1, max_size=64))
def test_rubbish_is_never_taken_for_a_frame(data: bytes) -> None:
    with contextlib.suppress(GarbledError):
        assert through(data) == []
        assert b"DBK1".startswith(data[:4])


@pytest.mark.parametrize("body", [b"[1]", b"{", b"\xff", b"[" * 100_000])
def test_a_frame_must_hold_an_object(body: bytes) -> None:
    with pytest.raises(GarbledError):
        through(b"DBK1" + len(body).to_bytes(4, "big") + body, 8)


def test_the_end_of_the_stream_is_seen(pipe: tuple[int, int]) -> None:
    read, write = pipe
    reader = FrameReader(read)
    assert not reader.feed()
    assert not reader.closed
    write_frame(write, {"a": 1})
    spare = os.dup(read)
    os.close(write)
    os.dup2(spare, write)
    os.close(spare)
    assert reader.receive() == {"a": 1}
    assert reader.receive() is None
    assert reader.closed


def test_numpy_and_sets_become_plain() -> None:
    numpy = pytest.importorskip("numpy")
    message = {
        "a": numpy.int64(3),
        "b": numpy.float32(0.5),
        "c": numpy.arange(3),
        "d": numpy.bool_(True),
        "e": {2, 1},
        "f": Direction.MAXIMIZE,
    }
    assert through(encode_frame(message)) == [
        {"a": 3, "b": 0.5, "c": [0, 1, 2], "d": True, "e": [1, 2], "f": "maximize"}
    ]


def test_records_come_back_as_they_were() -> None:
    protocol = MeasurementProtocol(Repeats(1, 2, 0.5), warmup=3, hopeless=None, flush_cache=True)
    limits = Limits(memory_bytes=5)
    metrics = (Metric("time", "s"), Metric("speed", "GB/s", Direction.MAXIMIZE, "how fast"))
    outcome = Outcome(
        TrialStatus.OK,
        objectives={"time": 1.0},
        low=0.5,
        high=2.0,
        samples=(Sample("time", 1.0, 0), Sample("time", 1.5, 1)),
        events=(Event("loss", 0.5, 0, 3, 0.25, 1.0, 2.0), Event("loss", 0.25, 1)),
        phases={"build": 0.25},
        facts={"code": "abc"},
        readings={"load_1m": 0.5},
    )
    [message] = through(
        encode_frame(
            {
                "protocol": encode_record(protocol),
                "limits": encode_record(limits),
                "metrics": [encode_record(metric) for metric in metrics],
                "outcome": encode_outcome(outcome),
                "configuration": {"order": (2, 0, 1), "omp": True, "chunk": 8},
            }
        )
    )
    assert isinstance(message, dict)
    assert decode_protocol(message["protocol"]) == protocol
    assert decode_limits(message["limits"]) == limits
    assert decode_metrics(message["metrics"]) == metrics
    assert decode_outcome(message["outcome"]) == outcome
    assert decode_configuration(message["configuration"]) == {
        "order": (2, 0, 1),
        "omp": True,
        "chunk": 8,
    }


GOOD = encode_outcome(Outcome(TrialStatus.OK, objectives={"time": 1.0}))


@pytest.mark.parametrize(
    "change",
    [
        {"status": "fine"},
        {"status": "failed"},
        {"failure_kind": "crash"},
        {"failure_kind": "sadness"},
        {"objectives": {"time": None}},
        {"objectives": {"time": "1"}},
        {"objectives": {"time": float("nan")}},
        {"objectives": []},
        {"message": 3},
        {"samples": [["time", 1.0]]},
        {"samples": 3},
        {"events": [["loss", 1.0]]},
        {"phases": {"build": "long"}},
        {"phases": {"build": float("inf")}},
        {"facts": None},
    ],
)
def test_a_forged_outcome_is_refused(change: dict[str, object]) -> None:
    assert decode_outcome(GOOD).objectives == {"time": 1.0}
    with pytest.raises(GarbledError):
        decode_outcome({**GOOD, **change})
    with pytest.raises(GarbledError):
        decode_outcome({key: value for key, value in GOOD.items() if key not in change})


@given(json_values)
def test_any_json_is_refused_or_is_an_outcome(value: object) -> None:
    with pytest.raises(GarbledError):
        decode_outcome(value)


def test_a_failed_outcome_may_lack_its_objectives() -> None:
    failed = Outcome(TrialStatus.FAILED, FailureKind.CRASH, "crashed", objectives={"time": None})
    assert decode_outcome(encode_outcome(failed)) == failed
