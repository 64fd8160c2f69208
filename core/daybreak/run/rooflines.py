"""Measuring this machine's roofline and recording it as a run of its own, beside the studies."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from daybreak.errors import StoreError
from daybreak.measure.machine import (
    environment_lock,
    machine_identity,
    machine_readings,
    noise_warnings,
)
from daybreak.measure.roofline import Ceiling, Roofline, measure_ceilings
from daybreak.run.devices import DeviceLocks
from daybreak.run.keys import new_run_id
from daybreak.store import RunWriter, ingest

__all__ = ["SUITE", "MeasuredMachine", "measure_machine"]

#: What the run's suite is called.
SUITE = "machine-roofline"


@dataclass(frozen=True, slots=True)
class MeasuredMachine:
    """What `measure_machine` did.

    Attributes:
        run_id: the run that holds the ceilings.
        machine_id: the machine.
        ceilings: what was measured.
        warnings: what makes it doubtful; recorded too.
    """

    run_id: str
    machine_id: str
    ceilings: tuple[Ceiling, ...]
    warnings: tuple[str, ...]


def measure_machine(
    results: Path,
    *,
    repeats: int = 11,
    triad: str = "auto",
    progress: Callable[[str], None] | None = None,
    measure: Callable[..., Roofline] = measure_ceilings,
) -> MeasuredMachine:
    """Measure the roofline of this machine and record it in `results`; takes about half a minute.

    Waits for trials of other runs on the processor to end, and keeps them waiting. Nothing is
    recorded unless all of it was measured.

    Args:
        results: the results folder; made if it is missing.
        repeats: see `measure_ceilings`.
        triad: likewise.
        progress: is told what is being measured.
        measure: replaced in tests.

    Raises:
        StoreError: the folder cannot be written.
        RequirementError: memory is too short, or numba was asked for and is missing.
    """
    machine_id, identity = machine_identity()
    environment_id, lock = environment_lock()
    run_id = new_run_id(SUITE)
    locks = DeviceLocks()
    row = {"suite": SUITE, "machine_id": machine_id, "environment_id": environment_id}
    try:
        with locks.hold(("cpu",), waiting=partial(_tell_waiting, progress)):
            before = machine_readings()
            warnings = noise_warnings()
            roofline = measure(repeats=repeats, triad=triad, progress=progress)
            after = machine_readings()
    finally:
        locks.close()
    warnings += roofline.notes
    with RunWriter.create(
        results, run_id, suite_key=SUITE, row={**row, "daybreak_version": _version()}
    ) as writer:
        writer.machine(machine_id, identity)
        writer.environment(environment_id, lock)
        writer.readings({"when": "before", **before}, at=str(before["taken_at"]))
        for warning in warnings:
            writer.readings({"warning": warning})
        for ceiling in roofline.ceilings:
            writer.ceiling(
                {
                    "machine_id": machine_id,
                    "device": "cpu",
                    "ceiling": ceiling.name,
                    "kind": ceiling.kind,
                    "threads": ceiling.threads,
                    "value": ceiling.value,
                    "low": ceiling.low,
                    "high": ceiling.high,
                    "unit": ceiling.unit,
                    "repeats": len(ceiling.samples),
                    "details": {**ceiling.details, "samples": list(ceiling.samples)},
                }
            )
        writer.readings({"when": "after", **after})
        writer.finish("finished")
    # the spool has everything: whoever asks next brings the index up to date, or says more
    with suppress(StoreError):
        ingest(results, wait_s=5.0)
    return MeasuredMachine(run_id, machine_id, roofline.ceilings, tuple(warnings))


def _tell_waiting(progress: Callable[[str], None] | None, label: str) -> None:
    if progress is not None:
        progress(f"as soon as a trial of another run on this machine's {label} has ended")


def _version() -> str:
    from daybreak import __version__

    return __version__
