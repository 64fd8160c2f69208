"""What a device has too little of is a known constraint of every benchmark where it can be known."""

from __future__ import annotations

import pytest

from daybreak import BuildFailed, Configuration, ResourceExceeded
from daybreak_rise.benchmarks import WORKLOADS
from daybreak_rise.benchmarks.base import Workload
from daybreak_rise.codegen import Kernel, fit
from daybreak_rise.generation import generate_program
from daybreak_rise.runtime.limits import PUBLISHED, DeviceLimits

NAMES = [name for name, workload in WORKLOADS.items() if workload.language == "opencl"]
#: those whose kernels have tiles in local memory
TILED = ("harris", "mm-gpu")
SIZES = {
    "mm-gpu": {"n": 64},
    "asum": {"n": 65536},
    "scal": {"n": 65536},
    "kmeans": {"points": 4096, "clusters": 4, "features": 5},
    "harris": {"height": 64, "width": 132},
    "stencil": {"o": 8, "n": 64, "m": 64},
}


def kernels(workload: Workload, configuration: Configuration) -> tuple[Kernel, ...]:
    return generate_program(workload, SIZES[workload.name], configuration, "opencl")[0].kernels


def local_bytes(name: str, one: Configuration) -> int:
    """What the tiles of a configuration take, by hand."""
    if name == "mm-gpu":
        a, b = one["v5"] * one["v8"], one["v7"] * one["v8"]  # type: ignore[operator]
        return 4 * (a + b)
    if name == "harris":
        across, down = int(one["tileX"]), int(one["tileY"])  # type: ignore[arg-type]
        # grey values with two pixels around the tile, two slopes with one
        return 4 * ((across + 4) * (down + 4) + 2 * (across + 2) * (down + 2))
    return 0


def test_every_benchmark_of_a_device_is_looked_at() -> None:
    assert set(NAMES) == set(SIZES)
    assert set(TILED) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_kernels_take_the_local_memory_that_the_constraints_reckon_with(name: str) -> None:
    workload = WORKLOADS[name]
    space = workload.space(SIZES[name])
    seen = []
    for configuration in [*workload.configurations(SIZES[name]).values(), *space.sample(8, 3)]:
        try:
            made = kernels(workload, configuration)
        except BuildFailed:
            assert name == "harris"  # tiles larger than the image are its hidden constraint
            continue
        most = max(kernel.local_bytes for kernel in made)
        alone = all(kernel.global_size == (1, 1, 1) for kernel in made)
        # one work-item has nobody to share with
        assert most <= local_bytes(name, configuration)
        if not alone:
            seen.append(most == local_bytes(name, configuration))
    assert len(seen) > 4
    assert all(seen) or name == "harris"  # cut tiles at an image's end take less
    assert any(seen)


SMALL = [
    DeviceLimits(64, (64, 64, 64), 4096),
    DeviceLimits(256, (1024, 16, 16), 8192),  # the second dimension alone is stricter
    DeviceLimits(128, (8, 128, 1), 2048),
]


@pytest.mark.parametrize("limits", SMALL, ids=lambda one: f"{one.work_group}-{one.local_bytes}")
@pytest.mark.parametrize("name", NAMES)
def test_what_the_space_of_a_smaller_device_allows_fits_it(name: str, limits: DeviceLimits) -> None:
    workload = WORKLOADS[name]
    configurations = workload.space(SIZES[name], limits).sample(6, 11)
    assert configurations
    for configuration in configurations:
        try:
            program, _ = generate_program(workload, SIZES[name], configuration, "opencl")
        except BuildFailed:
            assert name == "harris"
            continue
        fit(program, local_bytes=limits.local_bytes, work_items=limits.work_group)
        for kernel in program.kernels:
            sizes = zip(kernel.local_size, limits.work_items, strict=True)
            assert all(size <= most for size, most in sizes)


@pytest.mark.parametrize("name", TILED)
def test_only_what_does_not_fit_is_left_out(name: str) -> None:
    """Local memory alone: a device with less of it loses just the tiles that are too large."""
    workload, limits = WORKLOADS[name], DeviceLimits(1024, (1024, 1024, 1024), 6000)
    smaller = workload.space(SIZES[name], limits)
    out = 0
    for configuration in workload.space(SIZES[name]).sample(60, 2):
        fits = local_bytes(name, configuration) <= limits.local_bytes
        assert (configuration in smaller) == fits
        if not fits and out < 3:
            try:
                program, _ = generate_program(workload, SIZES[name], configuration, "opencl")
            except BuildFailed:
                continue
            if program.kernels[0].local_bytes == local_bytes(name, configuration):
                out += 1
                with pytest.raises(ResourceExceeded):
                    fit(program, local_bytes=limits.local_bytes, work_items=1024)
    assert out


@pytest.mark.parametrize("name", NAMES)
def test_the_published_spaces_ask_for_no_more_than_the_published_device_has(name: str) -> None:
    workload = WORKLOADS[name]
    for configuration in workload.space(workload.published).sample(200, 4):
        assert local_bytes(name, configuration) <= PUBLISHED.local_bytes


def test_the_largest_tile_of_harris_fits_the_published_device() -> None:
    tiles = [(x, y) for x in range(1, 1025) for y in range(1, 1024 // x + 1)]
    largest = max(local_bytes("harris", {"tileX": x, "tileY": y}) for x, y in tiles)
    assert largest <= PUBLISHED.local_bytes
