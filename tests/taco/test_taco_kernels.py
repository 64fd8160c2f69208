"""Real kernels: compiled by TACO, compared with SciPy and NumPy on small data."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest
from taco_support import define

from daybreak import BuildFailed
from daybreak_taco.session import TacoSession

Opened = Callable[..., AbstractContextManager[TacoSession]]

NAMES = ("spmv", "spmm", "sddmm", "ttv", "mttkrp")

#: a legal configuration per benchmark, and for each parameter another value
BASE: dict[str, dict[str, Any]] = {
    "spmv": {
        "chunk_size": 16, "chunk_size2": 4, "chunk_size3": 4, "permutation": (0, 1, 2, 3, 4),
    },
    "spmm": {"chunk_size": 16, "unroll_factor": 4, "permutation": (0, 1, 2, 3, 4)},
    "sddmm": {"chunk_size": 16, "unroll_factor": 4, "permutation": (0, 1, 2, 3, 4)},
    "ttv": {
        "chunk_size_fpos": 4, "chunk_size_i": 4, "chunk_size_k": 4, "permutation": (1, 0, 2, 3, 4),
    },
    "mttkrp": {"chunk_size": 16, "unroll_factor": 4, "permutation": (0, 1, 2, 3, 4)},
}  # fmt: skip
RUNTIME = {"omp_num_threads": 1, "omp_scheduling_type": 0, "omp_chunk_size": 1}
OTHER: dict[str, Any] = {
    "chunk_size": 8, "chunk_size2": 2, "chunk_size3": 2, "unroll_factor": 2, "chunk_size_fpos": 2,
    "chunk_size_i": 2, "chunk_size_k": 2,
}  # fmt: skip
REORDERED = {
    "spmv": (1, 0, 2, 3, 4),
    "spmm": (1, 0, 2, 3, 4),
    "sddmm": (1, 0, 2, 3, 4),
    "ttv": (0, 1, 2, 3, 4),
    "mttkrp": (4, 0, 1, 2, 3),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reference", [0, 1])
def test_references_are_correct(opened: Opened, name: str, reference: int) -> None:
    with opened(name, flags="-O3 -march=native") as session:
        found = define(name).references[reference]
        verdict = session.verify(session.build(found.configuration))
        assert verdict.correct, verdict.message
        assert verdict.error is not None
        assert verdict.error < 1e-13


@pytest.mark.parametrize("name", ["spmv", "spmm", "sddmm", "mttkrp"])
def test_samples_of_the_space_are_correct(opened: Opened, name: str) -> None:
    space = define(name).space
    # the first level at which GCC obeys `omp simd`, whose promise may be wrong
    with opened(name, flags="-O1") as session:
        for configuration in space.sample(8, np.random.default_rng(5)):
            verdict = session.verify(session.build(configuration))
            assert verdict.correct, (configuration, verdict.message)


def legal_orders(name: str, count: int) -> list[tuple[int, ...]]:
    configurations = define(name).space.sample(600, np.random.default_rng(0))
    orders: list[Any] = sorted({c["permutation"] for c in configurations})
    assert len(orders) == count
    return orders


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "count"), [("spmv", 24), ("spmm", 12), ("sddmm", 20), ("mttkrp", 5)]
)
def test_every_order_that_the_constraints_allow_is_correct(
    opened: Opened, name: str, count: int
) -> None:
    with opened(name, flags="-O1") as session:
        for order in legal_orders(name, count):
            artifact = session.build({**BASE[name], **RUNTIME, "permutation": order})
            verdict = session.verify(artifact)
            assert verdict.correct, (order, verdict.message)


def test_ttv_is_correct_for_its_legal_orders_and_any_sizes(opened: Opened) -> None:
    with opened("ttv", flags="-O1") as session:
        for order in ((1, 0, 2, 3, 4), (0, 1, 2, 3, 4), (0, 4, 1, 2, 3)):
            for size in (1, 2, 1024):
                sizes = {"chunk_size_k": size, "chunk_size_i": max(size, 2)}
                artifact = session.build(
                    {**BASE["ttv"], **RUNTIME, **sizes, "permutation": order, "omp_num_threads": 2}
                )
                verdict = session.verify(artifact)
                assert verdict.correct, (order, size, verdict.message)


@pytest.mark.parametrize(
    ("name", "order"),
    [("ttv", (3, 1, 2, 0, 4)), ("mttkrp", (3, 2, 1, 0, 4)), ("spmm", (2, 3, 4, 0, 1))],
)
def test_illegal_orders_fail_to_build(opened: Opened, name: str, order: tuple[int, ...]) -> None:
    with opened(name) as session, pytest.raises(BuildFailed, match=r"undeclared|taco: "):
        session.build({**BASE[name], **RUNTIME, "permutation": order})


def _compile_time_parameters() -> Iterator[tuple[str, str]]:
    for name in NAMES:
        for parameter in BASE[name]:
            yield name, parameter


@pytest.mark.parametrize(("name", "parameter"), list(_compile_time_parameters()))
def test_every_compile_time_parameter_changes_the_machine_code(
    opened: Opened, name: str, parameter: str
) -> None:
    other = REORDERED[name] if parameter == "permutation" else OTHER[parameter]
    if (name, parameter) == ("mttkrp", "unroll_factor"):
        other = 32  # beyond the vector length
    with opened(name, flags="-O3 -march=native") as session:
        one = session.build({**BASE[name], **RUNTIME})
        two = session.build({**BASE[name], **RUNTIME, parameter: other})
        assert one.facts["code"] != two.facts["code"]
        assert text_section(one.library) != text_section(two.library)


def text_section(library: Any) -> bytes:
    """Return the machine code of a shared library, without symbols and build identifiers."""
    import subprocess

    copy = library.with_suffix(".text")
    command = ["objcopy", "-O", "binary", "--only-section=.text", str(library), str(copy)]
    subprocess.run(command, check=True)
    return bytes(copy.read_bytes())


def test_unroll_reaches_gcc_for_every_innermost_loop_of_mttkrp(opened: Opened) -> None:
    with opened("mttkrp") as session:
        for order, loop in (((0, 1, 2, 3, 4), "jb"), ((4, 0, 1, 2, 3), "mB")):
            source = session.build({**BASE["mttkrp"], **RUNTIME, "permutation": order}).source
            assert "#pragma GCC unroll 4\n" in source
            after = source.partition("#pragma GCC unroll 4\n")[2].lstrip()
            assert after.startswith(f"for (int32_t {loop} = ")


def test_gcc_unrolls_inside_parallel_loops_as_often_as_asked(opened: Opened) -> None:
    import re
    import subprocess

    counts = []
    with opened("mttkrp", flags="-O2") as session:
        if session._open()[3].clang:
            pytest.skip("GCC only")
        for factor in (2, 4, 8, 16):
            order = {"permutation": (4, 0, 1, 2, 3), "unroll_factor": factor}
            library = session.build({**BASE["mttkrp"], **RUNTIME, **order}).library
            command = ["objdump", "-d", "--no-show-raw-insn", str(library)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            counts.append(len(re.findall(r"\bv?f?mul|\bv?fmadd", done.stdout)))
    steps = [after - before for before, after in itertools.pairwise(counts)]
    assert steps[1] == 2 * steps[0] > 0
    assert steps[2] == 2 * steps[1]


def test_spmv_blocks_larger_than_their_outer_block_are_cut(opened: Opened) -> None:
    with opened("spmv") as session:
        artifact = session.build({**BASE["spmv"], **RUNTIME, "chunk_size": 2, "chunk_size2": 64})
        assert "split(i1,i10,i11,2)" in artifact.facts["schedule"]
        assert session.verify(artifact).correct


@pytest.mark.parametrize("name", NAMES)
def test_run_time_parameters_reach_openmp(opened: Opened, name: str) -> None:
    """The emitted loop asks the runtime for its schedule, and the runtime is told."""
    import ctypes

    with opened(name) as session:
        one = {**BASE[name], **RUNTIME}
        two = {**one, "omp_num_threads": 2, "omp_scheduling_type": 1, "omp_chunk_size": 7}
        for configuration, expected in ((one, (1, 1, 1)), (two, (2, 2, 7))):
            artifact = session.build(configuration)
            assert "schedule(runtime)" in artifact.source
            runner = session._runner(artifact)
            library = runner._library
            kind, chunk = ctypes.c_int(), ctypes.c_int()
            library.omp_get_schedule(ctypes.byref(kind), ctypes.byref(chunk))
            # The runtime marks a static schedule as monotonic in the highest bit.
            found = (library.daybreak_threads(), kind.value & 0xFFFF, chunk.value)
            assert found == expected
        assert session.build(one).library == session.build(two).library


def test_the_published_schedules_that_this_taco_miscompiles(opened: Opened) -> None:
    """Why SpMV and TTV depart from the published client: its SpMV schedule computes rubbish."""
    commands = [
        "split(i,i0,i1,16)", "split(i1,i10,i11,4)", "split(j,j0,j1,4)",
        "reorder(i0,i10,i11,j1,j0)", "parallelize(i0,CPUThread,NoRaces)",
        "parallelize(j1,CPUVector,IgnoreRaces)",
    ]  # fmt: skip
    with opened("spmv") as session:
        assert not session.verify(session.build({"schedule": commands})).correct
    commands = [
        "split(i,i0,i1,16)", "fuse(i1,j,f)", "pos(f,fpos,B)", "split(fpos,chunk,fpos2,8)",
        "reorder(i0,chunk,fpos2,k)", "parallelize(chunk,CPUThread,NoRaces)",
    ]  # fmt: skip
    with opened("ttv") as session:
        # It would write in front of its result, so it is not run here.
        source = session.build({"schedule": commands}).source
        assert "- (i0 * 16) * B2_dimension" in source
        assert "chunk < ((B2_pos[B1_pos[1]] + 7) / 8)" in source


def test_a_schedule_outside_the_space_may_be_given_by_hand(opened: Opened) -> None:
    with opened("spmm") as session:
        artifact = session.build({"schedule": ["bound(k,kb,33,MaxExact)"], "omp_num_threads": 1})
        assert "kb < 33" in artifact.source
        assert artifact.facts["threads"] == artifact.facts["work"]["threads"] == 1
        assert session.verify(artifact).correct
        for nonsense in ("fast", 3):
            with pytest.raises(BuildFailed, match="a schedule is"):
                session.build({"schedule": nonsense})
        with pytest.raises(BuildFailed, match="taco: "):
            session.build({"schedule": ["tile(i,j)"]})
