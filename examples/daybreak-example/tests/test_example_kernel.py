"""What the configuration says is what the compiler gets, and what NumPy confirms."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from daybreak_example.kernel import compile_kernel, source_of
from daybreak_example.options import MatmulOptions
from daybreak_example.target import CMatmul

from daybreak import BuildFailed, RequirementError

GOOD = {
    "tile_i": 8,
    "tile_j": 16,
    "tile_k": 4,
    "order": (2, 0, 1),
    "unroll": 4,
    "level": "-O2",
}


def define(**options):
    return CMatmul().define("square", MatmulOptions(**options).model_dump())


@pytest.fixture(scope="module")
def session():
    with CMatmul().open(define(size=32)) as opened:
        yield opened


def test_order_is_the_nesting_of_the_tile_loops():
    source = source_of(32, GOOD)
    places = [source.index(f"int {axis}0 = 0") for axis in "kij"]
    assert places == sorted(places)
    assert "k0 += 4" in source
    assert 'GCC unroll 4"' in source


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_every_order_gives_the_right_product(session, order):
    verdict = session.verify(session.build({**GOOD, "order": order}))
    assert verdict.correct, verdict


@pytest.mark.parametrize("level", ["-O1", "-O3", "-Os"])
def test_every_level_gives_the_right_product(session, level):
    assert session.verify(session.build({**GOOD, "level": level})).correct


def test_a_wrong_element_is_found_out(session):
    verdict = session.verify(session.build({**GOOD, "fault": "wrong"}))
    assert not verdict.correct
    assert verdict.error > verdict.tolerance


def test_an_element_left_alone_is_found_out(session):
    source = source_of(16, GOOD)
    kernel = compile_kernel(source, "-O1", "cc", Path(session._scratch.name))
    verdict = session.verify(kernel)
    assert not verdict.correct
    assert "left alone" in verdict.message


def test_what_the_compiler_said_is_kept(session, tmp_path):
    with pytest.raises(BuildFailed) as caught:
        compile_kernel("int kernel(", "-O2", "cc", tmp_path)
    assert "error" in caught.value.detail


def test_a_missing_compiler_names_the_remedy(tmp_path):
    with pytest.raises(RequirementError, match="no-such-cc"):
        compile_kernel("", "-O2", "no-such-cc", tmp_path)


def test_throughput_goes_with_time(session):
    stream = session.measure(session.build(GOOD), None)
    throughput, time = next(stream), next(stream)
    stream.close()
    assert throughput.metric == "throughput"
    assert time.value * throughput.value == pytest.approx(2 * 32**3 * 1e-6)


@pytest.mark.parametrize("size", [32, 64, 128, 256, 512, 1024])
def test_tiles_never_exceed_the_matrix_or_the_cache(size):
    benchmark = define(size=size, cache_kib=64)
    for one in benchmark.space.sample(50, 0):
        assert max(one["tile_i"], one["tile_j"], one["tile_k"]) <= size
        i, j, k = one["tile_i"], one["tile_j"], one["tile_k"]
        assert 8 * (i * k + k * j + i * j) <= 64 * 1024
        assert one["unroll"] <= one["tile_j"]
