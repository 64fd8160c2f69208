"""The search spaces are the published ones, and scale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from daybreak.space import load_space
from daybreak_rise.benchmarks import WORKLOADS
from daybreak_rise.runtime.limits import PUBLISHED, DeviceLimits

FOLDER = Path(__file__).with_name("published")
FILES = {
    "mm-cpu": "mm_cpu", "mm-gpu": "mm_gpu", "asum": "asum_gpu", "scal": "scal_gpu",
    "kmeans": "kmeans_gpu", "harris": "harris_gpu", "stencil": "stencil_gpu",
}  # fmt: skip
NAMES = sorted(FILES)


def published(name):
    file = FOLDER / f"rise_{FILES[name]}.yaml"
    return load_space(file), yaml.safe_load(file.read_text())


def test_all_seven_are_there():
    assert set(WORKLOADS) == set(FILES)


@pytest.mark.parametrize("name", NAMES)
def test_the_space_at_the_published_size_is_the_published_one(name):
    workload = WORKLOADS[name]
    ours = workload.space(workload.published)
    theirs, text = published(name)
    assert [p.name for p in ours.parameters] == [p.name for p in theirs.parameters]
    for mine, its in zip(ours.parameters, theirs.parameters, strict=True):
        assert type(mine) is type(its)
        assert getattr(mine, "values", None) == getattr(its, "values", None)
        assert getattr(mine, "log", None) == getattr(its, "log", None)
    assert ours.size == text["space_size"]["cartesian"]
    assert ours.count() == text["space_size"]["known_feasible"]
    both = [*ours.sample(40, 1), *theirs.sample(40, 2)]
    assert all(one in ours and one in theirs for one in both)


@pytest.mark.parametrize("name", NAMES)
def test_infeasible_neighbours_are_infeasible_in_both(name):
    workload = WORKLOADS[name]
    ours, (theirs, _) = workload.space(workload.published), published(name)
    rng = np.random.default_rng(3)
    seen = 0
    for one in ours.sample(60, 4):
        parameter = ours.parameters[int(rng.integers(len(ours.parameters)))]
        if not hasattr(parameter, "values"):
            continue
        changed = {**one, parameter.name: int(rng.choice(parameter.values))}
        assert (changed in ours) == (changed in theirs)
        seen += changed not in ours
    assert seen > 0


@pytest.mark.parametrize("name", NAMES)
def test_references_are_the_published_ones(name):
    workload = WORKLOADS[name]
    space = workload.space(workload.published)
    _, text = published(name)
    references = {one.name: one for one in workload.references(space, workload.published)}
    assert set(references) == {"default", "expert"}
    for key, wanted in text["configurations"].items():
        found = {
            k: list(v) if isinstance(v, tuple) else v
            for k, v in references[key].configuration.items()
        }
        assert found == wanted
        assert references[key].in_space == (references[key].configuration in space)
    # of all published ones these two alone break a constraint
    outside = {key for key, one in references.items() if not one.in_space}
    assert outside == ({"default"} if name in ("scal", "harris") else set())


@pytest.mark.parametrize("name", NAMES)
def test_smaller_sizes_have_a_space_with_their_references(name):
    workload = WORKLOADS[name]
    sizes = workload.rehearsal
    space = workload.space(sizes)
    assert 0 < space.count() <= workload.space(workload.published).count()
    for reference in workload.references(space, sizes):
        assert "cut to these sizes" in reference.note
        assert reference.in_space == (reference.configuration in space)
        # `expert` must stay a point of the space
        assert reference.in_space or reference.name == "default"


def test_a_smaller_device_makes_the_constraints_stricter():
    small = DeviceLimits(work_group=256, work_items=(128, 256, 64), local_bytes=16384)
    for name in NAMES:
        if name == "mm-cpu":
            continue
        workload = WORKLOADS[name]
        space = workload.space(workload.rehearsal, small)
        for one in space.sample(60, 5):
            assert one["ls0"] <= 128
            assert one["ls0"] * one.get("ls1", 1) <= 256
    mm = WORKLOADS["mm-gpu"]
    for one in mm.space(mm.published, small).sample(60, 6):
        assert 4 * one["v8"] * (one["v5"] + one["v7"]) <= 16384


def test_a_larger_device_changes_nothing():
    large = DeviceLimits(4096, (4096, 4096, 4096), 1 << 20)
    for workload in WORKLOADS.values():
        ours = workload.space(workload.rehearsal, large)
        assert ours.fingerprint() == workload.space(workload.rehearsal, PUBLISHED).fingerprint()
