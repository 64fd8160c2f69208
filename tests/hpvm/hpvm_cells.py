"""Simulates Verilog of cells, vector by vector, the way netlists are: Yosys, CXXRTL, a compiler."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from daybreak import RequirementError
from daybreak_hpvm.rtl.tools import compiler, find_yosys, tool_environment

__all__ = ["run_yosys", "simulate"]

_DRIVER = """\
#include "design.cc"
#include <cstdint>
#include <cstdio>
#include <cinttypes>

int main() {{
  cxxrtl_design::p_top top;
  top.p_clk.set<uint64_t>(0);
  top.step();
  uint64_t v;
  while (scanf("%" SCNx64, &v) == 1) {{
{inputs}
    top.step();
{outputs}
    printf("\\n");
    top.p_clk.set<uint64_t>(1);
    top.step();
    top.p_clk.set<uint64_t>(0);
    top.step();
  }}
}}
"""


def run_yosys(script: str, folder: Path) -> None:
    """Run Yosys commands in `folder`; skips without Yosys."""
    try:
        yosys = find_yosys()
    except RequirementError as error:
        pytest.skip(error.message)
    subprocess.run(
        [*yosys.command, "-Q", "-q", "-p", script],
        cwd=folder,
        env={**os.environ, **tool_environment(yosys)},
        check=True,
        capture_output=True,
    )


def simulate(
    text: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    vectors: Sequence[Mapping[str, int]],
    folder: Path,
) -> list[dict[str, int]]:
    """Simulate module ``top`` of the Verilog `text`, which has a clock ``clk``.

    For each vector inputs are set, outputs are read, and then the clock rises. Signals have up to 64
    bits. Skips without Yosys or a C++ compiler.
    """
    from daybreak_hpvm.rtl.gates import _SCRIPT

    try:
        yosys, cxx = find_yosys(), compiler()
    except RequirementError as error:
        pytest.skip(error.message)
    assert yosys.share is not None
    (folder / "design").write_text(text, encoding="utf-8")
    run_yosys(f"{_SCRIPT}; write_cxxrtl -g0 design.cc", folder)
    names = [f"top.p_{name.replace('_', '__')}" for name in (*inputs, *outputs)]
    given = [f"    {one}.set<uint64_t>(v);" for one in names[: len(inputs)]]
    read = '    if (scanf("%" SCNx64, &v) != 1) return 1;'
    lines = "\n".join(f"{read}\n{one}" if k else one for k, one in enumerate(given))
    told = "\n".join(
        f'    printf("%" PRIx64 " ", {one}.get<uint64_t>());' for one in names[len(inputs) :]
    )
    (folder / "driver.cc").write_text(_DRIVER.format(inputs=lines, outputs=told), encoding="utf-8")
    include = yosys.share / "include" / "backends" / "cxxrtl" / "runtime"
    command = [*cxx.command, "-std=c++17", "-w", "-O0", f"-I{include}", "driver.cc", "-o", "run"]
    subprocess.run(command, cwd=folder, check=True)
    fed = "\n".join(" ".join(f"{vector[name]:x}" for name in inputs) for vector in vectors)
    done = subprocess.run(
        [str(folder / "run")], input=fed, capture_output=True, text=True, check=True
    )
    found = [[int(word, 16) for word in line.split()] for line in done.stdout.splitlines()]
    assert len(found) == len(vectors)
    return [dict(zip(outputs, values, strict=True)) for values in found]
