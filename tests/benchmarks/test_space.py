"""Search spaces side by side with pyATF and Kernel Tuner: construct and count, sample, look up.

Each group is one operation on one space; every tool does it in the same run::

    pytest tests/benchmarks/test_space.py --benchmark-only --override-ini addopts=

Spaces: MM_GPU (154,888,140 feasible configurations in two trees), Harris (10,482,439), the largest
tree of MM_GPU and the tiles of Harris on their own, and Kernel Tuner's convolution (4,362). Kernel
Tuner lists every configuration: MM_GPU would take it tens of gigabytes, and Harris did not end
within six minutes, so that it is left out of both unless DAYBREAK_BENCHMARK_SLOW=1 is set (then
Harris is tried); their trees on their own it can do.

Construction starts from plain lists of values and from constraints as each tool wants them (text
for Daybreak and Kernel Tuner, a function per parameter for pyATF) and ends with the exact count.
Every look-up starts from a configuration as a mapping of names to values, half of them infeasible;
Daybreak's `in` checks names and types too. Kernel Tuner's test is given the tuple that it wants,
made from the mapping. pyATF has no test of membership: its tree is walked child by child. What a
tool builds on its first look-up (Daybreak: a set of leaves) is left to the warm-up round.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from daybreak.space import Ordinal, Space, load_space

SPACES = Path(__file__).parent.parent / "data" / "spaces"
SAMPLES = 10_000
LOOKUPS = 1_000
#: Kernel Tuner keeps a tuple and a dictionary entry per configuration.
BYTES_PER_CONFIGURATION = 300
#: Larger spaces take Kernel Tuner minutes.
LISTED_QUICKLY = 1_000_000

#: Single trees of the spaces, by their parameters.
TREES = {
    "mm_gpu_tree": ("v3", "v4", "v5", "v6", "v7", "v8"),
    "harris_tiles": ("vec", "tileX", "tileY"),
}
#: Feasible configurations.
COUNTS = {
    "mm_gpu": 154_888_140,
    "mm_gpu_tree": 42_540,
    "harris": 10_482_439,
    "harris_tiles": 2_879,
    "convolution": 4_362,
}


def _definition(name: str) -> tuple[dict[str, list[Any]], list[str]]:
    """Return values and constraint texts, for every tool to start from."""
    if name == "convolution":
        space = load_space(SPACES / "kernel_tuner_hub.yaml", "convolution_milo_A100_T4")
    else:
        file = "rise_harris_gpu.yaml" if name.startswith("harris") else "rise_mm_gpu.yaml"
        space = load_space(SPACES / file)
    names = TREES.get(name, space.names)
    values = {n: list(space[n].to_dict()["values"]) for n in names}
    constraints = [c.text for c in space.constraints if set(c.names) <= set(names)]
    return values, constraints


# -- pyATF: one function per parameter, in an order that lets it prune early -------------------

_LOCAL = 49152


def _atf_work_items() -> dict[str, Callable[..., bool] | None]:
    return {
        "gs0": lambda gs0: 1024 % gs0 == 0,
        "ls0": lambda ls0, gs0: gs0 % ls0 == 0 and ls0 <= 1024,
        "gs1": lambda gs1: 1024 % gs1 == 0,
        "ls1": lambda ls1, gs1, ls0: gs1 % ls1 == 0 and ls0 * ls1 <= 1024,
    }


def _atf_tiles() -> dict[str, Callable[..., bool] | None]:
    return {
        "v3": lambda v3: v3 % 4 == 0,
        "v7": lambda v7, v3: v7 % v3 == 0 and 1024 % v7 == 0 and v7 % 4 == 0,
        "v5": lambda v5, v7: (
            1024 % v5 == 0
            and v5 % 4 == 0
            and _LOCAL - v5 * 1 * 4 - v5 * 1 * 4 - 4 * 1 * 1 >= 0
            and _LOCAL - v5 * v7 * 4 - v5 * 1 * 4 - 4 * v7 * 1 >= 0
        ),
        "v4": lambda v4, v5: v5 % v4 == 0,
        "v8": lambda v8, v5, v7: (
            1024 % v8 == 0 and _LOCAL - v5 * v7 * 4 - v5 * v8 * 4 - 4 * v7 * v8 >= 0
        ),
        "v6": lambda v6, v5, v8: v6 % 4 == 0 and v5 * v8 % v6 == 0,
    }


def _atf_threads() -> dict[str, Callable[..., bool] | None]:
    return {
        "gs0": None,
        "ls0": lambda ls0, gs0: gs0 % ls0 == 0,
        "gs1": None,
        "ls1": lambda ls1, gs1, ls0: gs1 % ls1 == 0 and ls0 * ls1 <= 1024,
    }


def _atf_tiles_of_harris() -> dict[str, Callable[..., bool] | None]:
    return {
        "vec": None,
        "tileX": lambda tileX, vec: (tileX + 4) % vec == 0,  # noqa: N803
        "tileY": lambda tileY, tileX: tileX * tileY <= 1024,  # noqa: N803
    }


def _atf_convolution() -> dict[str, Callable[..., bool] | None]:
    return {
        "block_size_x": None,
        "block_size_y": lambda block_size_y, block_size_x: block_size_x * block_size_y <= 1024,
        "use_shmem": None,
        "use_padding": lambda use_padding, block_size_x, use_shmem: (
            (use_padding == 0 or block_size_x % 32 != 0) and (use_padding == 0 or use_shmem != 0)
        ),
        "filter_width": None,
        "filter_height": None,
        "tile_size_x": None,
        "tile_size_y": lambda tile_size_y, tile_size_x, block_size_x, block_size_y, use_shmem, filter_width, filter_height: (
            use_shmem == 0
            or (block_size_x * tile_size_x + (filter_width - 1))
            * (block_size_y * tile_size_y + (filter_height - 1))
            < 12 * 1024
        ),
        "read_only": None,
        "use_cmem": None,
    }


# -- the tools: construct, sample, look up -----------------------------------------------------


class Daybreak:
    def __init__(self, name: str) -> None:
        self._values, self._constraints = _definition(name)

    def construct(self) -> int:
        parameters = [Ordinal(n, values) for n, values in self._values.items()]
        self.space = Space(parameters, self._constraints)
        return self.space.count() or 0

    def sample(self) -> list[Any]:
        return self.space.sample(SAMPLES, 1)

    def lookups(self, configurations: list[dict[str, Any]]) -> Callable[[], int]:
        space = self.space
        return lambda: sum(configuration in space for configuration in configurations)


class PyATF:
    def __init__(self, name: str) -> None:
        pytest.importorskip("pyatf", reason="pyATF is not installed")
        self._values, _ = _definition(name)
        self._functions = {
            "mm_gpu": lambda: {**_atf_tiles(), **_atf_work_items()},
            "mm_gpu_tree": _atf_tiles,
            "harris": lambda: {**_atf_threads(), **_atf_tiles_of_harris()},
            "harris_tiles": _atf_tiles_of_harris,
            "convolution": _atf_convolution,
        }[name]()

    def construct(self) -> int:
        from pyatf.range import Set
        from pyatf.search_space import SearchSpace
        from pyatf.tp import TP

        parameters = [TP(n, Set(*self._values[n]), f) for n, f in self._functions.items()]
        self.space = SearchSpace(*parameters, enable_1d_access=True, verbosity=0)
        return int(self.space.constrained_size)

    def sample(self) -> list[Any]:
        draw = random.Random(1)
        size = self.space.constrained_size
        get = self.space.get_configuration
        return [get(draw.randrange(size)) for _ in range(SAMPLES)]

    def lookups(self, configurations: list[dict[str, Any]]) -> Callable[[], int]:
        from pyatf.range import Range

        trees = [tree.root for tree in self.space.cot]
        names = self.space._cot_layer_to_tp_name

        def found(configuration: dict[str, Any]) -> bool:
            layer = 0
            for root in trees:
                node = root
                while node.num_children:
                    value = configuration[names[layer]]
                    layer += 1
                    child = node.get_child(0)
                    if isinstance(child.data, Range):
                        if value not in child.data:
                            return False
                        node = child
                        continue
                    node = next((c for c in node if c.data == value), None)
                    if node is None:
                        return False
            return True

        return lambda: sum(found(configuration) for configuration in configurations)


class KernelTuner:
    def __init__(self, name: str) -> None:
        pytest.importorskip("kernel_tuner", reason="Kernel Tuner is not installed")
        psutil = pytest.importorskip("psutil")
        if COUNTS[name] > LISTED_QUICKLY and os.environ.get("DAYBREAK_BENCHMARK_SLOW") != "1":
            pytest.skip(f"Kernel Tuner lists all {COUNTS[name]:,} configurations: many minutes")
        needed = COUNTS[name] * BYTES_PER_CONFIGURATION
        if needed > psutil.virtual_memory().available * 0.7:
            pytest.skip(f"Kernel Tuner lists all configurations: about {needed / 2**30:.0f} GiB")
        self._values, self._constraints = _definition(name)

    def construct(self) -> int:
        from kernel_tuner.searchspace import Searchspace

        self.space = Searchspace(self._values, list(self._constraints), max_threads=1024)
        return int(self.space.size)

    def sample(self) -> list[Any]:
        count = min(SAMPLES, self.space.size)
        return self.space.get_random_sample(count)

    def lookups(self, configurations: list[dict[str, Any]]) -> Callable[[], int]:
        row = itemgetter(*self._values)
        valid = self.space.is_param_config_valid
        return lambda: sum(valid(row(configuration)) for configuration in configurations)


TOOLS = {"daybreak": Daybreak, "pyatf": PyATF, "kernel_tuner": KernelTuner}
CASES = [pytest.param(space, tool, id=f"{space}-{tool}") for space in COUNTS for tool in TOOLS]


@pytest.fixture(scope="module")
def built() -> dict[tuple[str, str], Any]:
    """Tools whose space is built, so that a slow construction is paid for once."""
    return {}


def _ready(built: dict[tuple[str, str], Any], space: str, tool: str) -> Any:
    if (space, tool) not in built:
        # one large space of Kernel Tuner at a time
        for other in [key for key in built if key[1] == tool]:
            del built[other]
        made = TOOLS[tool](space)
        assert made.construct() == COUNTS[space]
        built[space, tool] = made
    return built[space, tool]


def _mixed(space: str) -> list[dict[str, Any]]:
    """Configurations to look up: half of them feasible, half with one value changed at random."""
    values, constraints = _definition(space)
    reference = Space([Ordinal(n, v) for n, v in values.items()], constraints)
    draw = random.Random(2)
    configurations = reference.sample(LOOKUPS, 3)
    for configuration in configurations[::2]:
        name = draw.choice(reference.names)
        configuration[name] = draw.choice(values[name])
    return [dict(configuration) for configuration in configurations]


@pytest.mark.parametrize(("space", "tool"), CASES)
def test_construct_and_count(
    benchmark: Any, built: dict[tuple[str, str], Any], space: str, tool: str
) -> None:
    benchmark.group = f"construct and count: {space}"
    benchmark.extra_info["configurations"] = COUNTS[space]
    made = TOOLS[tool](space)
    slow = tool != "daybreak" and space != "convolution"
    # the slow ones are measured once: their differences are no matter of noise
    count = benchmark.pedantic(made.construct, rounds=1 if slow else 10, iterations=1)
    assert count == COUNTS[space]
    built[space, tool] = made


@pytest.mark.parametrize(("space", "tool"), CASES)
def test_sample(benchmark: Any, built: dict[tuple[str, str], Any], space: str, tool: str) -> None:
    benchmark.group = f"sample {SAMPLES:,}: {space}"
    made = _ready(built, space, tool)
    drawn = benchmark.pedantic(made.sample, rounds=5, iterations=1)
    assert len(drawn) == min(SAMPLES, COUNTS[space] if tool == "kernel_tuner" else SAMPLES)


@pytest.mark.parametrize(("space", "tool"), CASES)
def test_membership(
    benchmark: Any, built: dict[tuple[str, str], Any], space: str, tool: str
) -> None:
    benchmark.group = f"look up {LOOKUPS:,}: {space}"
    made = _ready(built, space, tool)
    configurations = _mixed(space)
    expected = sum(made_ok for made_ok in _expected(space, configurations))
    found = benchmark.pedantic(
        made.lookups(configurations), rounds=5, iterations=1, warmup_rounds=1
    )
    assert found == expected


def _expected(space: str, configurations: list[dict[str, Any]]) -> list[bool]:
    values, constraints = _definition(space)
    reference = Space([Ordinal(n, v) for n, v in values.items()], constraints)
    return [reference.violations(configuration) == [] for configuration in configurations]
