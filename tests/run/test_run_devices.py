from __future__ import annotations

import threading
from pathlib import Path

import pytest

from daybreak.run.devices import DeviceLocks


@pytest.fixture
def two(tmp_path: Path):
    """Two holders of locks, as two processes have them: each has opened the files for itself."""
    locks = DeviceLocks(tmp_path), DeviceLocks(tmp_path)
    yield locks
    for one in locks:
        one.close()


def test_who_waits_for_another_process_is_told_before(two: tuple[DeviceLocks, DeviceLocks]) -> None:
    first, second = two
    told, held = threading.Event(), threading.Event()
    labels: list[str] = []

    def waiting(label: str) -> None:
        labels.append(label)
        told.set()

    def hold() -> None:
        with second.hold(("cpu", "gpu"), waiting=waiting):
            held.set()

    with first.hold(("cpu",)):
        thread = threading.Thread(target=hold)
        thread.start()
        assert told.wait(20)
        assert not held.wait(0.2)
    assert held.wait(20)
    thread.join()
    assert labels == ["cpu"]


def test_who_need_not_wait_is_told_nothing(two: tuple[DeviceLocks, DeviceLocks]) -> None:
    first, second = two
    labels: list[str] = []
    with first.hold(("cpu",)), second.hold(("gpu",), waiting=labels.append):
        pass
    with second.hold(("cpu",), waiting=labels.append):
        pass
    assert labels == []
