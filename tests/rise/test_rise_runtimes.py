"""The runtimes: the C compiler, a real OpenCL device where there is one."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from daybreak import (
    BuildFailed,
    FailureKind,
    MeasurementProtocol,
    RequirementError,
    ResourceExceeded,
    Sample,
    TrialFailed,
)
from daybreak_rise.benchmarks import WORKLOADS
from daybreak_rise.benchmarks.base import Launch
from daybreak_rise.codegen import generate
from daybreak_rise.dsl import (
    fun,
    join,
    let,
    map_global,
    map_local,
    map_seq,
    map_work_group,
    split,
    to_local,
)
from daybreak_rise.generation import _repeated, generate_program
from daybreak_rise.options import ScalOptions
from daybreak_rise.runtime import opencl, probe
from daybreak_rise.runtime.ccompiler import find_compiler
from daybreak_rise.runtime.native import NativeRuntime
from daybreak_rise.runtime.opencl import OpenClRuntime
from daybreak_rise.target import RiseTarget
from daybreak_rise.types import array, f32


def device_or_skip():
    try:
        probe.known_devices()
    except RequirementError as error:
        pytest.skip(f"no OpenCL device: {error.message}")


def doubled(n=64, **sizes):
    e = fun(array(n, f32), f32, lambda x, a: x | map_global(0)(lambda v: a * v))
    return generate(e, local_size=sizes.get("local", 8), global_size=sizes.get("whole", 32))


INPUTS = (np.arange(64, dtype=np.float32), np.float32(2).reshape(()))


# ---- OpenCL


def test_a_kernel_runs_and_is_timed_by_the_device():
    device_or_skip()
    with OpenClRuntime() as runtime:
        assert set(runtime.identity) == {"platform", "device", "driver", "flags"}
        made = runtime.compile(doubled())
        made.load(INPUTS)
        assert 0 < made.run() < 10
        np.testing.assert_array_equal(made.result(), 2 * INPUTS[0])
        made.load((INPUTS[0], np.float32(3).reshape(())))
        assert np.isnan(made.result()).all()
        made.run()
        np.testing.assert_array_equal(made.result(), 3 * INPUTS[0])
        made.close()
        made.close()


def test_more_than_a_device_has_is_refused_with_numbers():
    device_or_skip()
    with OpenClRuntime() as runtime:
        items = runtime.limits.work_group * 2
        with pytest.raises(ResourceExceeded) as caught:
            runtime.compile(doubled(items, local=items, whole=items))
        assert caught.value.numbers["work_items"] == items
        floats = runtime.limits.local_bytes // 4 + 64
        e = fun(
            array(2 * floats, f32),
            lambda x: (
                x
                | split(floats)
                | map_work_group(0)(
                    lambda row: let(
                        row | map_local(0)(lambda v: v) | to_local,
                        lambda kept: kept | map_local(0)(lambda v: v * v),
                    )
                )
                | join
            ),
        )
        program = generate(e, local_size=16, global_size=32)
        if program.kernels[0].local_bytes > runtime.limits.local_bytes:
            with pytest.raises(ResourceExceeded) as caught:
                runtime.compile(program)
            assert caught.value.numbers["local_bytes"] > runtime.limits.local_bytes


def test_a_kernel_that_does_not_compile_keeps_its_log():
    device_or_skip()
    program = doubled()
    (kernel,) = program.kernels
    broken = replace(program, kernels=(replace(kernel, source=kernel.source + "\nnonsense;"),))
    with OpenClRuntime() as runtime, pytest.raises(BuildFailed, match="error:") as caught:
        runtime.compile(broken)
    assert "kernel.cl:" in str(caught.value)
    assert "error:" in (caught.value.detail or "")


def test_a_device_that_is_not_there_is_a_requirement():
    device_or_skip()
    with pytest.raises(RequirementError, match="platform 'no such'"), OpenClRuntime("no such"):
        pass


class _ClError(Exception):
    def __init__(self, code):
        super().__init__(f"clSomething failed: {code}")
        self.code = code


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-5, FailureKind.RESOURCE),
        (-54, FailureKind.RESOURCE),
        (-55, FailureKind.RESOURCE),
        (-4, FailureKind.MEMORY),
        (-61, FailureKind.MEMORY),
        (-11, FailureKind.BUILD),
        (-36, FailureKind.CRASH),
        (-9999, FailureKind.CRASH),
    ],
)
def test_what_drivers_report_becomes_the_right_kind(code, kind):
    cl = SimpleNamespace(MemoryError=MemoryError)
    found = opencl._failure(cl, _ClError(code), "running the kernel")
    assert isinstance(found, TrialFailed)
    assert found.kind is kind


# ---- a session


def test_samples_are_of_the_device_and_floors_below_them():
    device_or_skip()
    target = RiseTarget()
    benchmark = target.define("scal", ScalOptions(n=4096).model_dump())
    with target.open(benchmark) as session:
        built = session.build(benchmark.references[1].configuration)
        assert {"rewrite", "generate", "compile", "first_launch"} <= set(built.phases)
        assert built.facts["work"] == {"flops": 4096.0, "bytes": 8 * 4096.0}
        assert session.verify(built).correct
        seen = list(itertools.islice(session.measure(built, MeasurementProtocol()), 4))
        times = [one for one in seen if isinstance(one, Sample) and one.metric == "time"]
        assert [one.i for one in times] == [0, 1]
        assert all(one.value > session.floors["time"] for one in times)
        with pytest.raises(RequirementError, match="caches"):
            next(iter(session.measure(built, MeasurementProtocol(flush_cache=True))))


def test_a_wrong_kernel_is_seen_each_time():
    device_or_skip()
    target = RiseTarget()
    benchmark = target.define("scal", ScalOptions(n=4096).model_dump())
    with target.open(benchmark) as session:
        built = session.build(benchmark.references[1].configuration)
        (kernel,) = built.program.kernels
        spoilt = replace(
            built.program,
            kernels=(replace(kernel, source=kernel.source.replace("*", "+", 1)
                             if "alpha * " in kernel.source else kernel.source.replace(" * ", " + ")),),
        )  # fmt: skip
        assert session._runtime is not None
        try:
            built.compiled = session._runtime.compile(spoilt)
        except BuildFailed:
            pytest.skip("the spoilt kernel does not compile")
        assert not session.verify(built).correct


# ---- work-items that do their work again


def test_unused_dimensions_are_run_as_asked_for():
    program, _ = generate_program(
        WORKLOADS["kmeans"],
        {"points": 64, "clusters": 2, "features": 3},
        {"gs0": 16, "gs1": 8, "ls0": 4, "ls1": 2},
        "opencl",
    )
    (kernel,) = program.kernels
    assert kernel.global_size == (16, 8, 1)
    assert kernel.local_size == (4, 2, 1)
    assert "reqd_work_group_size(4, 2, 1)" in kernel.source
    cuda = generate(
        fun(array(64, f32), lambda x: x | map_global(0)(lambda v: v + 1.0)),
        target="cuda", local_size=(4, 2), global_size=(16, 8),
    ).kernels[0]  # fmt: skip
    assert "__launch_bounds__(8)" in _repeated(cuda, Launch((16, 8), (4, 2))).source


# ---- C


def test_a_function_in_c_runs():
    e = fun(array(64, f32), f32, lambda x, a: x | map_seq(lambda v: a * v))
    with NativeRuntime(None, "-O1") as runtime:
        made = runtime.compile(generate(e, target="c"))
        made.touch()
        made.load(INPUTS)
        assert 0 < made.run() < 10
        np.testing.assert_array_equal(made.result(), 2 * INPUTS[0])
        made.close()


def test_what_the_c_compiler_refuses_is_a_build_failure():
    e = fun(array(64, f32), f32, lambda x, a: x | map_seq(lambda v: a * v))
    program = generate(e, target="c")
    (kernel,) = program.kernels
    broken = replace(
        program, kernels=(replace(kernel, source=kernel.source + "\n#error nonsense"),)
    )
    with (
        NativeRuntime(None, "-O1") as runtime,
        pytest.raises(BuildFailed, match=r"C compiler: #error nonsense") as caught,
    ):
        runtime.compile(broken)
    assert "nonsense" in (caught.value.detail or "")


def test_flags_that_the_c_compiler_refuses_are_a_requirement():
    with (
        pytest.raises(RequirementError, match=r"cannot build kernels .*no-such-flag"),
        NativeRuntime(None, "-O1 -fno-such-flag"),
    ):
        pass


def test_a_missing_c_compiler_is_a_requirement():
    with pytest.raises(RequirementError) as caught:
        find_compiler("no-such-compiler")
    assert caught.value.remedy
