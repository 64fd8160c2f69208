"""Measuring the roofline: what is counted, on what, and what happens when it cannot be done."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daybreak import RequirementError, UserError
from daybreak.measure.roofline import Ceiling, Roofline, ceilings, kernels, measure_ceilings
from daybreak.measure.roofline.crew import Crew
from daybreak.measure.roofline.levels import Cache, cache_levels, free_memory_bytes, usable_cpus

CPU = min(os.sched_getaffinity(0))


def cache(root: Path, cpu: int, index: int, level: int, kind: str, size: str, shared: str) -> None:
    folder = root / f"cpu{cpu}" / "cache" / f"index{index}"
    folder.mkdir(parents=True)
    for name, text in (
        ("level", level),
        ("type", kind),
        ("size", size),
        ("shared_cpu_list", shared),
    ):
        (folder / name).write_text(f"{text}\n")


def test_caches_are_counted_once_however_many_share_them(tmp_path: Path) -> None:
    for cpu in range(4):
        cache(tmp_path, cpu, 0, 1, "Data", "32K", str(cpu))
        cache(tmp_path, cpu, 1, 1, "Instruction", "64K", str(cpu))
        cache(tmp_path, cpu, 2, 2, "Unified", "1M", f"{cpu // 2 * 2}-{cpu // 2 * 2 + 1}")
        cache(tmp_path, cpu, 3, 3, "Unified", "24576K", "0-3")
    assert cache_levels(range(4), tmp_path) == [
        Cache("L1d", 32 * 1024, 4),
        Cache("L2", 1024**2, 2),
        Cache("L3", 24 * 1024**2, 1),
    ]
    assert cache_levels([1], tmp_path)[1] == Cache("L2", 1024**2, 1)
    assert cache_levels([9], tmp_path) == []


def test_damaged_descriptions_of_caches_are_passed_over(tmp_path: Path) -> None:
    cache(tmp_path, 0, 0, 1, "Data", "lots", "0")
    cache(tmp_path, 0, 1, 2, "Unified", "1M", "")
    (tmp_path / "cpu0/cache/index9").mkdir()
    assert cache_levels([0], tmp_path) == [Cache("L2", 1024**2, 1)]


def test_arrays_are_four_times_the_last_caches_or_what_memory_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    levels = [Cache("L2", 2**20, 8), Cache("L3", 32 * 2**20, 2)]
    monkeypatch.setattr(ceilings, "free_memory_bytes", lambda: 2**40)
    assert ceilings._memory_elements(levels) == (4 * 64 * 2**20 // 8, True)
    assert ceilings._memory_elements([]) == (4 * 32 * 2**20 // 8, True)
    monkeypatch.setattr(ceilings, "free_memory_bytes", lambda: 96 * 2**20)
    elements, enough = ceilings._memory_elements(levels)
    assert not enough
    assert 24 * elements <= 24 * 2**20 < 24 * (elements + 1)  # a quarter of the free memory
    monkeypatch.setattr(ceilings, "free_memory_bytes", lambda: None)
    assert ceilings._memory_elements(levels)[1]


@pytest.mark.parametrize(
    ("level", "processes", "cpus", "share"),
    [
        (Cache("L1d", 48_000, 8), 1, 8, 1),  # one each
        (Cache("L1d", 48_000, 8), 8, 8, 1),
        (Cache("L3", 48_000, 2), 8, 8, 4),  # four share one
        (Cache("L3", 48_000, 2), 1, 8, 1),
        (Cache("L3", 48_000, 2), 3, 3, 2),
    ],
)
def test_working_sets_of_all_who_share_a_cache_fill_half_of_it(
    level: Cache, processes: int, cpus: int, share: int
) -> None:
    assert ceilings._cache_elements(level, processes, cpus) == 24_000 // (24 * share)


@pytest.mark.parametrize("make", [kernels.triad_numba, kernels.triad_numpy])
def test_the_triad_is_computed(monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    if make is kernels.triad_numba:
        pytest.importorskip("numba")
    made: list[Any] = []
    arrays = kernels._arrays

    def kept(elements: int) -> Any:
        made.append(arrays(elements))
        return made[-1]

    monkeypatch.setattr(kernels, "_arrays", kept)
    run, details = make(10_007)
    a, b, c = made[0]
    b[:] = np.arange(10_007.0)
    c[:] = np.arange(10_007.0) ** 2
    a[:] = -1.0
    run(3)  # with the factors 3, 4, 5: the last one stays
    np.testing.assert_allclose(a, b + 5.0 * c, rtol=1e-15)
    assert details["elements"] == 10_007
    assert "24 bytes per element" in details["counts"]


@pytest.mark.parametrize("precision", ["f64", "f32"])
def test_the_product_names_its_library_and_size(precision: str) -> None:
    run, details = kernels.gemm(64, precision)
    run(2)
    assert details["size"] == 64
    assert details["blas"] is None or details["blas"].strip()


def test_a_crew_runs_at_the_same_time_and_counts_to_the_last_end() -> None:
    cpus = sorted(os.sched_getaffinity(0))[:2]
    with Crew([[cpu] for cpu in cpus]) as crew:
        details = crew.prepare({"kernel": "triad", "with": "numpy", "elements": 200_000})
        assert details["kernel"] == "numpy"
        few, many = crew.run(1), crew.run(40)
        assert 0.0 < few < many
    crew.close()


def test_a_process_that_dies_is_said_in_one_message() -> None:
    with Crew([[CPU]]) as crew:
        crew.prepare({"kernel": "triad", "with": "numpy", "elements": 1000})
        crew._members[0].kill()
        with pytest.raises(RequirementError, match="ended by itself"):
            crew.run(1)


def test_too_little_memory_is_said_in_one_message() -> None:
    with Crew([[CPU]]) as crew, pytest.raises(RequirementError, match="MemoryError"):
        crew.prepare({"kernel": "triad", "with": "numpy", "elements": 10**15})


def test_every_ceiling_with_one_and_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a crew whose clock is exact, so that the rates can be calculated."""
    asked: list[tuple[int, dict[str, Any]]] = []

    class Clockwork:
        """Moves 1 GB/s and calculates 1 Gflop/s on each processor."""

        def __init__(self, places: Sequence[Sequence[int]]) -> None:
            self.places = [list(place) for place in places]
            self.amount = 0.0

        def __enter__(self) -> Clockwork:
            return self

        def __exit__(self, *_: object) -> None: ...

        def prepare(self, request: dict[str, Any]) -> dict[str, Any]:
            asked.append((len(self.places), dict(request)))
            if request["kernel"] == "gemm":
                self.amount = 2.0 * request["size"] ** 3 / len(self.places[0])
            else:
                self.amount = 24.0 * request["elements"]
            return {"kernel": "clockwork"}

        def run(self, times: int) -> float:
            return times * self.amount / 1e9

    monkeypatch.setattr(ceilings, "Crew", Clockwork)
    monkeypatch.setattr(ceilings, "_chosen", lambda triad: "numba")
    monkeypatch.setattr(
        ceilings, "cache_levels", lambda cpus: [Cache("L1d", 32_768, 4), Cache("L3", 2**22, 1)]
    )
    monkeypatch.setattr(ceilings, "free_memory_bytes", lambda: 2**40)
    told: list[str] = []
    found = measure_ceilings(repeats=6, cpus=(0, 1, 2, 3), progress=told.append)
    assert found.notes == ()
    rates = {(one.name, one.threads): one.value for one in found.ceilings}
    assert rates == {
        (name, threads): pytest.approx(1e9 * threads)
        for name in ("memory", "L1d", "L3", "gemm_f64", "gemm_f32")
        for threads in (1, 4)
    }
    assert all(one.low == one.value == one.high for one in found.ceilings)
    assert all(len(one.samples) == 6 for one in found.ceilings)
    assert {one.unit for one in found.ceilings if one.kind == "bandwidth"} == {"B/s"}
    assert {one.unit for one in found.ceilings if one.kind == "compute"} == {"flop/s"}
    assert told[0] == "memory, one processor"
    assert told[-1] == "f32 arithmetic, 4 processors"
    # the same memory for all together, and L3 is shared by four
    elements = [request["elements"] for _, request in asked if request["kernel"] == "triad"]
    assert elements == [
        *(4 * 2**22 // 8, 32_768 // 48, 2**22 // 48),
        *(2**22 // 8, 32_768 // 48, 2**22 // 192),
    ]
    # at 1 Gflop/s even the smallest product takes longer than a repetition has to
    assert {r["size"] for _, r in asked if r["kernel"] == "gemm"} == {1024}


def test_one_processor_is_measured_once_and_numpy_leaves_caches_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ceilings, "_LAP_S", 1e-4)
    monkeypatch.setattr(ceilings, "_SIZES", (64, 128))
    monkeypatch.setattr(ceilings, "free_memory_bytes", lambda: 4 * 24 * 50_000)
    found = measure_ceilings(repeats=3, triad="numpy", cpus=(CPU,))
    assert [(one.name, one.threads) for one in found.ceilings] == [
        ("memory", 1),
        ("gemm_f64", 1),
        ("gemm_f32", 1),
    ]
    assert all(0.0 < one.low <= one.value <= one.high for one in found.ceilings)
    assert found.ceilings[0].details["bytes"] == 24 * 50_000
    assert [note.split(":")[0] for note in found.notes] == [
        "memory is too short for arrays of four times the last cache, so part of the memory's "
        "bandwidth may be the cache's",
        "caches are not measured",
    ]


def test_wrong_words_and_missing_packages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="no way to do the triad"):
        measure_ceilings(triad="fortran")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RequirementError, match="numba is missing"):
        measure_ceilings(triad="numba")
    assert ceilings._chosen("auto") == "numpy"


def test_processors_and_memory_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(usable_cpus()) <= os.sched_getaffinity(0)
    monkeypatch.setenv("DAYBREAK_CPUS", str(CPU))
    assert usable_cpus() == (CPU,)
    free = free_memory_bytes()
    assert free is None or free > 0


def made(name: str, kind: str, threads: int) -> Ceiling:
    samples = (1e9, 2e9, 3e9)
    unit = "B/s" if kind == "bandwidth" else "flop/s"
    return Ceiling(name, kind, unit, threads, 2e9, 1e9, 3e9, samples, {"kernel": "made up"})


MADE = Roofline((made("memory", "bandwidth", 1), made("gemm_f64", "compute", 2)), ("a note",))


def test_a_measurement_is_a_run_of_its_own(tmp_path: Path) -> None:
    from daybreak.analysis import query
    from daybreak.measure.machine import machine_identity
    from daybreak.run.rooflines import measure_machine

    def fake(*, repeats: int, triad: str, progress: Any) -> Roofline:
        assert (repeats, triad) == (3, "numpy")
        return MADE

    done = measure_machine(tmp_path, repeats=3, triad="numpy", measure=fake)
    assert done.ceilings == MADE.ceilings
    assert done.machine_id == machine_identity()[0]
    assert done.warnings[-1] == "a note"
    found = query("SELECT * FROM ceilings ORDER BY ceiling DESC", tmp_path).to_dict("records")
    first = found[0]
    assert (first["ceiling"], first["threads"], first["unit"]) == ("memory", 1, "B/s")
    assert (first["value"], first["low"], first["high"], first["repeats"]) == (2e9, 1e9, 3e9, 3)
    assert first["run_id"] == done.run_id
    assert '"samples":[1000000000.0' in first["details"].replace(" ", "")
    run = query("SELECT suite, status, machine_id, environment_id FROM runs", tmp_path)
    assert run["suite"][0] == "machine-roofline"
    assert run["status"][0] == "finished"
    assert run["environment_id"][0]
    warnings = query("SELECT text FROM readings WHERE name = 'warning'", tmp_path)
    assert "a note" in list(warnings["text"])


def test_nothing_is_recorded_if_it_cannot_be_measured(tmp_path: Path) -> None:
    from daybreak.run.rooflines import measure_machine

    def fail(**_: Any) -> Roofline:
        raise RequirementError("too little of everything")

    with pytest.raises(RequirementError):
        measure_machine(tmp_path / "results", measure=fail)
    assert not (tmp_path / "results").exists()
