"""Every published space loads, and its counts come out as published."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from daybreak.errors import SpaceError
from daybreak.space import load_space

SPACES = Path(__file__).parent.parent / "data" / "spaces"

#: file: (size, feasible, leaf counts of the trees or None where the source gives none)
PUBLISHED = {
    "rise_asum_gpu": (1_285_625, 63_954, [969, 66]),
    "rise_harris_gpu": (7_706_114_658, 10_482_439, [3641, 2879]),
    "rise_kmeans_gpu": (14_641, 3_641, [3641]),
    "rise_mm_cpu": (10_541_520, 41_503, [49, 11, 11, 7]),
    "rise_mm_gpu": (11_623_211_721, 154_888_140, [42540, 3641]),
    "rise_scal_gpu": (39_589_264, 4_201_714, [3641, 1154]),
    "rise_stencil_gpu": (14_641, 3_641, [3641]),
    "taco_mttkrp": (1_512_000, 680_400, None),
    "taco_sddmm": (1_049_760, 77_760, None),
    "taco_spmm": (1_049_760, 46_656, None),
    "taco_spmv": (15_120_000, 3_024_000, None),
    "taco_ttv": (16_632_000, 16_632_000, None),
}

#: references that do not satisfy their space, with a constraint or name that says why
INFEASIBLE = {
    ("rise_harris_gpu", "default"): "(tileX+4) % vec",
    ("rise_scal_gpu", "default"): "s0 % (s1*vec) == 0",
    ("taco_ttv", "fixed_schedule_called_default_in_plots"): "chunk_size_fpos",
}


def test_every_file_is_covered() -> None:
    files = {path.stem for path in SPACES.glob("*.yaml")}
    assert files == {*PUBLISHED, "hpvm2fpga", "kernel_tuner_hub", "taco_instances"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_counts_equal_the_published_ones(name: str) -> None:
    size, feasible, leaves = PUBLISHED[name]
    space = load_space(SPACES / f"{name}.yaml")
    assert space.size == size == space.published["cartesian"]
    assert space.count() == feasible == space.published["known_feasible"]
    if leaves is not None:
        assert sorted(space.leaf_counts().values()) == sorted(leaves)
        assert sorted(space.published["cot_tree_leaf_counts"]) == sorted(leaves)


@pytest.mark.parametrize("name", ["rise_kmeans_gpu", "rise_asum_gpu", "taco_spmm", "taco_sddmm"])
def test_counts_equal_brute_force(name: str) -> None:
    """Test every combination of linked parameters with the scalar evaluator, without any tree."""
    space = load_space(SPACES / f"{name}.yaml")
    total = 1
    for part in space.parts:
        linked = [space[n] for n in part.names]
        mine = [c for c in space.constraints if set(c.names) & set(part.names)]
        values = [[p.value_at(i) for i in range(p.size or 0)] for p in linked]
        feasible = [
            row
            for row in product(*values)
            if all(c.holds(dict(zip(part.names, row, strict=True))) for c in mine)
        ]
        listed = [tuple(leaf.values()) for leaf in part.walk()]
        assert listed == feasible, "same combinations in the same, lexicographic order"
        total *= len(feasible)
    assert space.count() == total


@pytest.mark.parametrize("name", PUBLISHED)
def test_references_are_feasible_or_known_not_to_be(name: str) -> None:
    space = load_space(SPACES / f"{name}.yaml")
    for reference, configuration in space.references.items():
        violations = space.violations(configuration)
        reason = INFEASIBLE.get((name, reference))
        assert (configuration in space) == (reason is None)
        if reason is None:
            assert violations == []
        else:
            assert any(reason in violation for violation in violations)


def test_expert_references_are_there_and_descriptions_become_notes() -> None:
    spmm = load_space(SPACES / "taco_spmm.yaml")
    assert spmm.references["expert_fixed_schedule"]["permutation"] == (0, 1, 2, 3, 4)
    assert "default" not in spmm.references
    assert any(note.startswith("default: unscheduled") for note in spmm.notes)


def test_hpvm_example() -> None:
    space = load_space(SPACES / "hpvm2fpga.yaml")
    assert len(space.names) == 40
    # switches have two values, factors of unrolling two or six
    sizes = [space[name].size for name in space.names]
    assert set(sizes) == {2, 6}
    assert space.count() == space.size == 2 ** sizes.count(2) * 6 ** sizes.count(6)
    assert space.default() in space
    assert load_space(SPACES / "hpvm2fpga.yaml", "published_example_space") == space


def test_hpvm_benchmarks_have_no_published_parameters() -> None:
    with pytest.raises(SpaceError, match="parameters of 'BFS' are not published") as caught:
        load_space(SPACES / "hpvm2fpga.yaml", "BFS")
    assert caught.value.line is not None


@pytest.mark.parametrize("device", ["A100", "A4000", "A6000", "MI250X", "W6600", "W7800"])
def test_kernel_tuner_convolution(device: str) -> None:
    space = load_space(SPACES / "kernel_tuner_hub.yaml", f"convolution_milo_{device}_T4")
    assert space.size == 10_240
    assert space.count() == 4_362 == space.published["configurations"]
    rows = product(*([p.value_at(i) for i in range(p.size or 0)] for p in space.parameters))
    assert sum(
        space.violations(dict(zip(space.names, row, strict=True))) == [] for row in rows
    ) == (4_362)


def test_kernel_tuner_without_recorded_conditions_is_the_whole_product() -> None:
    space = load_space(SPACES / "kernel_tuner_hub.yaml", "gemm_old_RTX_3090")
    assert space.count() == space.size
    assert "No conditions are recorded" in space.notes[0]


def test_kernel_tuner_needs_a_data_set() -> None:
    with pytest.raises(SpaceError, match="name one") as caught:
        load_space(SPACES / "kernel_tuner_hub.yaml")
    assert "pnpoly_old_RTX_Titan" in str(caught.value)
    with pytest.raises(SpaceError) as caught:
        load_space(SPACES / "kernel_tuner_hub.yaml", "convolution_milo_A100")
    assert caught.value.nearest == "convolution_milo_A100_T4"


def test_a_file_without_a_space_is_refused() -> None:
    with pytest.raises(SpaceError, match="no `parameters`"):
        load_space(SPACES / "taco_instances.yaml")


def test_samples_of_the_largest_spaces_are_feasible() -> None:
    for name in ("rise_mm_gpu", "rise_harris_gpu"):
        space = load_space(SPACES / f"{name}.yaml")
        for method in ("uniform", "path"):
            drawn = space.sample(200, 7, method=method, unique=True)
            assert len({tuple(c.values()) for c in drawn}) == 200
            # the scalar evaluator, not the trees the samples came from
            assert all(space.violations(c) == [] for c in drawn)


def test_grid_of_the_largest_space_starts_at_once() -> None:
    space = load_space(SPACES / "rise_mm_gpu.yaml")
    grid = space.grid()
    first = [next(grid) for _ in range(5000)]
    assert len({tuple(c.values()) for c in first}) == 5000
    assert all(c in space for c in first[::100])
