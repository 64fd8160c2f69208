"""The way to NVIDIA's GPUs: the real run-time compiler where it is installed, a stand-in driver that
runs kernels on this processor where there is a C++ compiler."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from daybreak import (
    BuildFailed,
    FailureKind,
    MeasurementProtocol,
    OutOfMemory,
    RequirementError,
    ResourceExceeded,
    TrialFailed,
)
from daybreak_rise import options
from daybreak_rise.benchmarks import WORKLOADS
from daybreak_rise.codegen import generate
from daybreak_rise.dsl import fun, map_global
from daybreak_rise.generation import generate_program
from daybreak_rise.runtime import cudaapi, cudalibs
from daybreak_rise.runtime.cuda import CudaRuntime
from daybreak_rise.runtime.cudaapi import CudaApi
from daybreak_rise.runtime.nvrtc import Nvrtc, architecture, newest_for
from daybreak_rise.session import RiseSession
from daybreak_rise.target import RiseTarget
from daybreak_rise.types import array, f32

HERE = Path(__file__).parent / "cuda_on_cpu"
ON_GPU = [name for name, workload in WORKLOADS.items() if workload.language != "c"]
INPUTS = (np.arange(64, dtype=np.float32), np.float32(2).reshape(()))


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    folder = tmp_path_factory.mktemp("cuda-on-cpu")
    for name in ("device.h", "launch.h"):
        shutil.copy(HERE / name, folder / name)
    made = folder / "libcuda.so.1"
    source = str(HERE / "driver.cpp")
    subprocess.run(
        [compiler, "-std=c++17", "-O1", "-shared", "-fPIC", "-o", str(made), source, "-ldl"],
        check=True,
    )
    return str(made)


@pytest.fixture
def driver(library, monkeypatch):
    """The stand-in in the place of NVIDIA's driver and compiler; nothing may be left on it."""
    monkeypatch.setattr(cudaapi, "find_libraries", lambda: (library, (library,)))
    loaded = ctypes.CDLL(library)
    loaded.standin_bytes.restype = ctypes.c_size_t
    yield loaded
    loaded.standin_recover()
    assert loaded.standin_bytes() == 0
    assert loaded.standin_modules() == 0


def session(name, **changed):
    model = getattr(options, "".join(map(str.capitalize, name.split("-"))) + "Options")
    given = {**WORKLOADS[name].rehearsal, "runtime": "cuda", **changed}
    return RiseSession(RiseTarget().define(name, model(**given).model_dump()))


def doubled(items=64, local=8, whole=32):
    e = fun(array(items, f32), f32, lambda x, a: x | map_global(0)(lambda v: a * v))
    return generate(e, target="cuda", local_size=local, global_size=whole)


@pytest.mark.parametrize("name", ON_GPU)
def test_the_published_experts_are_right_in_cuda(driver, name):
    with session(name) as opened:
        workload = WORKLOADS[name]
        built = opened.build(workload.configurations(workload.rehearsal)["expert"])
        assert opened.verify(built).correct
        samples = opened.measure(built, MeasurementProtocol())
        assert next(samples).metric == "throughput"
        assert next(samples).value > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_GPU)
def test_any_configuration_is_right_in_cuda(driver, name):
    with session(name) as opened:
        space = RiseTarget().define(name, dict(opened._options)).space
        for configuration in space.sample(8, 5):
            try:
                built = opened.build(configuration)
            except TrialFailed as error:
                assert error.kind in (FailureKind.BUILD, FailureKind.RESOURCE)  # noqa: PT017
                continue
            assert opened.verify(built).correct, configuration


def test_a_missing_barrier_shows(driver):
    workload = WORKLOADS["mm-gpu"]
    sizes = workload.rehearsal
    expert = workload.configurations(sizes)["expert"]
    made, _ = generate_program(workload, sizes, expert, "cuda")
    inputs = workload.draw(sizes, np.random.default_rng(3))
    expected = workload.expected(sizes, expert, inputs)
    with CudaRuntime() as runtime:
        compiled = runtime.compile(made)
        compiled.load(inputs)
        compiled.run()
        assert expected.compare(compiled.result()).correct
        compiled.close()
        (kernel,) = made.kernels
        assert "__syncthreads();" in kernel.source
        broken = CudaApi.compile(
            runtime._api, kernel.source.replace("__syncthreads();", ""), kernel.name
        )
        compiled = runtime.compile(made)
        runtime._api.unload(compiled._kernels[0][0])
        compiled._kernels = [(broken, kernel)]
        compiled.load(inputs)
        compiled.run()
        assert not expected.compare(compiled.result()).correct
        compiled.close()


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("out[64] = 1.0f;", 700),
        ("if (threadIdx.x < 4) { __syncthreads(); } else {\n__syncthreads(); }", 719),
    ],
)
def test_a_kernel_that_breaks_the_device_is_a_crash(driver, statement, code):
    source = 'extern "C" __global__ void bad(float* __restrict__ out) {\n' + statement + "\n}"
    with CudaRuntime() as runtime:
        api = runtime._api
        kernel = api.compile(source, "bad")
        address = api.allocate(256)
        with pytest.raises(TrialFailed, match=f"CUDA error {code}") as caught:
            api.launch(kernel, (1, 1, 1), (8, 1, 1), [ctypes.c_uint64(address)])
        assert caught.value.kind is FailureKind.CRASH
        assert caught.value.session_lost
        api.free(address)
        api.unload(kernel)


def test_what_the_device_does_not_hold(driver, monkeypatch):
    monkeypatch.setenv("CUDA_ON_CPU_BYTES", "600")
    with CudaRuntime() as runtime:
        made = runtime.compile(doubled())  # two buffers of 256 bytes
        assert driver.standin_bytes() == 512
        with pytest.raises(OutOfMemory, match="taking 256 bytes"):
            runtime.compile(doubled())
        assert driver.standin_bytes() == 512
        # four gigabytes are not nothing: sizes have 64 bits
        with pytest.raises(OutOfMemory):
            runtime._api.allocate(1 << 32)
        made.close()
        made.close()
        assert driver.standin_bytes() == 0
        with pytest.raises(ResourceExceeded, match="work_items"):
            runtime.compile(doubled(2048, 2048, 2048))


def test_a_kernel_that_the_compiler_refuses(driver):
    with CudaRuntime() as runtime, pytest.raises(BuildFailed, match=r"NVRTC: .*error") as caught:
        runtime._api.compile('extern "C" __global__ void k() { nonsense }', "k")
    assert "nonsense" in caught.value.detail
    with CudaRuntime() as runtime, pytest.raises(BuildFailed, match="does not find"):
        runtime._api.compile('extern "C" __global__ void k() {}', "other")


def test_the_device_is_the_one_that_the_options_mean(driver):
    with CudaRuntime() as runtime:
        assert runtime.identity == {
            "platform": "NVIDIA CUDA, CUDA 12.8",
            "device": "Processor as a GPU, 1 multiprocessors",
            "driver": "12080",
            "compiler": "NVRTC 12.9",
            "flags": "--gpu-architecture=sm_90",
        }
        assert (runtime.limits.work_group, runtime.limits.local_bytes) == (1024, 49152)
    with CudaRuntime(device="twin") as runtime:
        assert "Its twin" in runtime.identity["device"]
    with CudaRuntime("cuda", "gpu") as runtime:
        assert "Processor" in runtime.identity["device"]
    with pytest.raises(RequirementError, match="no NVIDIA device has device 'h100'") as caught:
        CudaRuntime(device="h100").__enter__()
    assert "Its twin" in str(caught.value)


def test_a_driver_older_than_the_compiler_is_named(driver, monkeypatch):
    monkeypatch.setenv("CUDA_ON_CPU_DRIVER", "11040")
    with pytest.raises(RequirementError, match=r"CUDA 11 and older; found: NVRTC 12\.9") as caught:
        CudaRuntime().__enter__()
    assert caught.value.remedy == "pip install nvidia-cuda-nvrtc-cu11"


def test_code_is_made_for_the_device_or_an_older_one(driver, library):
    compiler = Nvrtc(library)
    assert compiler.capabilities == (75, 80, 90)
    assert architecture(80, compiler) == "--gpu-architecture=sm_80"
    assert architecture(86, compiler) == "--gpu-architecture=compute_80"
    assert architecture(120, compiler) == "--gpu-architecture=compute_90"
    with pytest.raises(RequirementError, match=r"dropped devices of compute capability 7\.0"):
        architecture(70, compiler)


def test_a_compiler_that_does_not_load_is_passed_over(driver, library, tmp_path):
    broken = tmp_path / "libnvrtc.so.12"
    broken.write_text("nothing")
    assert newest_for([str(broken), library], (13, 0)).version == (12, 9)
    with pytest.raises(RequirementError, match=r"found: .*libnvrtc"):
        newest_for([str(broken)], (13, 0))


# ---- where the libraries are


def test_missing_nvidia_libraries_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(cudalibs.ctypes.util, "find_library", lambda name: None)
    monkeypatch.setattr(cudalibs, "_FOLDERS", ())
    monkeypatch.setattr(cudalibs, "_from_packages", list)
    with pytest.raises(RequirementError, match="libcuda"):
        cudalibs.find_libraries()
    # a container's driver, which the linker's cache does not know
    (tmp_path / "libcuda.so.1").touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", f":{tmp_path}")
    with pytest.raises(RequirementError, match="libnvrtc") as caught:
        cudalibs.find_libraries()
    assert "pip install nvidia-cuda-nvrtc-cu12" in caught.value.remedy
    monkeypatch.setattr(cudalibs, "_from_packages", lambda: ["libnvrtc.so.13", "libnvrtc.so.12"])
    assert cudalibs.find_libraries() == (
        str(tmp_path / "libcuda.so.1"),
        ("libnvrtc.so.13", "libnvrtc.so.12"),
    )


# ---- the real compiler


def real_compilers():
    return [Nvrtc(path) for path in cudalibs._from_packages()]


def benchmark_kernels():
    for name in ON_GPU:
        workload = WORKLOADS[name]
        for reference, configuration in workload.configurations(workload.rehearsal).items():
            made, _ = generate_program(workload, workload.rehearsal, configuration, "cuda")
            for kernel in made.kernels:
                yield f"{name} {reference} {kernel.name}", kernel.source


def test_nvidias_compiler_takes_every_benchmark():
    compilers = real_compilers()
    if not compilers:
        pytest.skip(
            "NVIDIA's run-time compiler is not installed: pip install 'daybreak[rise-cuda]'"
        )
    for compiler in compilers:
        for what, source in benchmark_kernels():
            image = compiler.compile(source, ("--gpu-architecture=sm_80",))
            # machine code is an ELF file, whose header names the machine: 190 is NVIDIA's
            assert image[:4] == b"\x7fELF", what
            assert int.from_bytes(image[18:20], "little") == 190, what


def test_nvidias_compiler_names_what_it_refuses():
    compilers = real_compilers()
    if not compilers:
        pytest.skip(
            "NVIDIA's run-time compiler is not installed: pip install 'daybreak[rise-cuda]'"
        )
    for compiler in compilers:
        with pytest.raises(BuildFailed, match=r"NVRTC: .*nonsense"):
            compiler.compile('extern "C" __global__ void k() { nonsense; }', ("-arch=sm_80",))
        text = compiler.compile('extern "C" __global__ void k() {}', ("-arch=compute_80",))
        assert b".entry k" in text
        assert text.endswith(b"\0")
