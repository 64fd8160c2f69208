"""Measuring the ceilings: how long, how often, on what sizes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from daybreak.errors import RequirementError, UserError
from daybreak.measure.roofline.crew import Crew
from daybreak.measure.roofline.kernels import BYTES_PER_ELEMENT
from daybreak.measure.roofline.levels import Cache, cache_levels, free_memory_bytes, usable_cpus
from daybreak.measure.statistics import median_interval

__all__ = ["Ceiling", "Roofline", "measure_ceilings"]

#: A repetition takes at least so many seconds.
_LAP_S = 0.1
#: STREAM's rule: each array is at least four times as large as the last caches together.
_TIMES_CACHE = 4
_WITHOUT_CACHES = 32 * 1024 * 1024
#: No more than this part of the free memory is used.
_SHARE = 0.25
#: A working set in a cache fills this part of it.
_FILL = 0.5
_SIZES = tuple(range(1024, 8192 + 1, 512))


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One ceiling.

    Attributes:
        name: ``memory``, a cache (``L1d``, ``L2``, ...), ``gemm_f64`` or ``gemm_f32``.
        kind: `bandwidth` (B/s) or `compute` (flop/s).
        threads: processors that worked at the same time.
        value: median over the repetitions, in `unit`.
        low, high: 95 % confidence interval of that median (`measure.statistics`).
        samples: every repetition.
        details: kernel, sizes, how bytes or operations are counted, libraries.
    """

    name: str
    kind: str
    unit: str
    threads: int
    value: float
    low: float
    high: float
    samples: tuple[float, ...]
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Roofline:
    """What was measured, and sentences about what was not or what makes it doubtful."""

    ceilings: tuple[Ceiling, ...]
    notes: tuple[str, ...] = ()


def measure_ceilings(
    *,
    repeats: int = 11,
    triad: str = "auto",
    cpus: Sequence[int] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Roofline:
    """Measure memory, caches and floating point of this machine: with one processor, and with all.

    Takes about two seconds for each ceiling. Nothing else should run meanwhile.

    Args:
        repeats: repetitions, each of a tenth of a second or more.
        triad: what the triad is done with: ``numba``, ``numpy``, or ``auto``: numba where it is
            installed. Caches need numba: they are faster than NumPy's calls.
        cpus: the processors; None: `usable_cpus`.
        progress: is told what is being measured.

    Raises:
        RequirementError: numba is asked for and missing, or memory is too short.
        UserError: `triad` is another word.
    """
    tell = progress or (lambda _: None)
    chosen = _chosen(triad)
    places = tuple(cpus or usable_cpus())
    caches = cache_levels(places)
    notes = []
    elements, enough = _memory_elements(caches)
    if not enough:
        notes.append(
            "memory is too short for arrays of four times the last cache, so part of the "
            "memory's bandwidth may be the cache's"
        )
    if chosen == "numpy":
        notes.append("caches are not measured: numba is missing (pip install numba)")
    ceilings: list[Ceiling] = []
    for count in dict.fromkeys([1, len(places)]):
        with Crew([[cpu] for cpu in places[:count]]) as crew:
            tell(f"memory, {_threads(count)}")
            request = {"kernel": "triad", "with": chosen, "elements": elements // count}
            ceilings.append(_bandwidth("memory", crew, request, count, repeats))
            for cache in caches if chosen == "numba" else ():
                tell(f"{cache.name}, {_threads(count)}")
                request["elements"] = _cache_elements(cache, count, len(places))
                ceilings.append(_bandwidth(cache.name, crew, request, count, repeats))
        with Crew([places[:count]]) as crew:
            for precision in ("f64", "f32"):
                tell(f"{precision} arithmetic, {_threads(count)}")
                ceilings.append(_compute(precision, crew, count, repeats))
    return Roofline(tuple(ceilings), tuple(notes))


def _chosen(triad: str) -> str:
    if triad not in ("auto", "numba", "numpy"):
        raise UserError(f"'{triad}' is no way to do the triad", expected="auto, numba or numpy")
    there = importlib.util.find_spec("numba") is not None
    if triad == "numba" and not there:
        raise RequirementError("numba is missing", remedy="pip install numba")
    return "numba" if there and triad != "numpy" else "numpy"


def _threads(count: int) -> str:
    return "one processor" if count == 1 else f"{count} processors"


def _memory_elements(caches: Sequence[Cache]) -> tuple[int, bool]:
    """Return the length of each array, all processes together, and whether that is long enough."""
    last = caches[-1].bytes * caches[-1].count if caches else _WITHOUT_CACHES
    wanted = max(_TIMES_CACHE * last // 8, 1_000_000)
    free = free_memory_bytes()
    if free is None:
        return wanted, True
    possible = int(_SHARE * free) // BYTES_PER_ELEMENT
    return max(min(wanted, possible), 1_000), wanted <= possible


def _cache_elements(cache: Cache, processes: int, all_cpus: int) -> int:
    """Return the length of each array of one process, so that all of theirs fit into the cache."""
    sharing = -(-all_cpus // cache.count)  # processors that share one cache
    together = min(processes, sharing)
    return max(int(_FILL * cache.bytes) // (BYTES_PER_ELEMENT * together), 8)


def _bandwidth(
    name: str, crew: Crew, request: Mapping[str, Any], count: int, repeats: int
) -> Ceiling:
    details = crew.prepare(request)
    size = BYTES_PER_ELEMENT * int(request["elements"]) * count
    rates, times = _rates(crew, size, repeats)
    details |= {"bytes": size, "times": times, "processes": count}
    return _ceiling(name, "bandwidth", "B/s", count, rates, details)


def _compute(precision: str, crew: Crew, count: int, repeats: int) -> Ceiling:
    request = {"kernel": "gemm", "precision": precision, "size": _SIZES[0]}
    crew.prepare(request)
    crew.run(1)
    # the larger, the nearer to the peak; but so that a repetition does not take long
    per_second = _SIZES[0] ** 3 / min(crew.run(1) for _ in range(2))
    fitting = [size for size in _SIZES if size**3 <= 3 * _LAP_S * per_second]
    size = max(fitting, default=_SIZES[0])
    details = crew.prepare({**request, "size": size})
    rates, times = _rates(crew, 2.0 * size**3, repeats)
    details |= {"times": times, "precision": precision}
    return _ceiling(f"gemm_{precision}", "compute", "flop/s", count, rates, details)


def _rates(crew: Crew, amount: float, repeats: int) -> tuple[list[float], int]:
    """Return the amount per second of each repetition, and how often a repetition runs the kernel."""
    times = 1
    crew.run(times)  # the first touch, the first call
    while (seconds := crew.run(times)) < _LAP_S / 2:
        times = max(2 * times, int(times * _LAP_S / max(seconds, 1e-9)))
    return [amount * times / crew.run(times) for _ in range(repeats)], times


def _ceiling(
    name: str, kind: str, unit: str, threads: int, rates: Sequence[float], details: dict[str, Any]
) -> Ceiling:
    middle, low, high = median_interval(rates) if len(rates) > 1 else (rates[0],) * 3
    return Ceiling(name, kind, unit, threads, middle, low, high, tuple(rates), details)
