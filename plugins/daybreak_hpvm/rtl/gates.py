"""Simulation of the netlist: what the device's cells compute, for synthesisers make mistakes too.

Yosys brings models of ECP5's look-up tables, registers, carry chains and small memories. Those of the
multiplier and of the block memory are here, as far as Yosys uses them: without their registers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from daybreak import WrongResult
from daybreak_hpvm.devices import Device
from daybreak_hpvm.ir import Program
from daybreak_hpvm.ir.interpret import flatten
from daybreak_hpvm.rtl.cache import Cache
from daybreak_hpvm.rtl.cxxrtl import build_simulator
from daybreak_hpvm.rtl.flow import Design, Simulation, default_cache, generate, most_cycles
from daybreak_hpvm.rtl.process import Progress, ToolLimits, silent

__all__ = ["cell_models", "has_models", "simulate_netlist"]

_SCRIPT: Final = (
    # without the many names that other tools have for the same cells
    "read_verilog -D NO_INCLUDES +/ecp5/cells_sim.v; read_verilog -overwrite design; "
    "hierarchy -top top; proc; flatten; opt_clean"
)


def has_models(device: Device) -> bool:
    """Whether netlists for `device` can be simulated.

    Not those of 7-series: Yosys's model of its block memory knows times only.
    """
    return device.family == "ecp5"


def simulate_netlist(
    program: Program,
    design: Design,
    inputs: Mapping[str, Any],
    limits: ToolLimits = ToolLimits(),  # noqa: B008 - frozen
    *,
    cache: Cache | None = None,
    progress: Progress = silent,
) -> Simulation:
    """Simulate the ECP5 netlist of `design`, which was made of `program`, once.

    Raises:
        RequirementError: there is no Yosys or no C++ compiler.
        WrongResult: it does not come to an end, as the hardware does.
        TrialFailed: a tool fails.
    """
    cache = cache or default_cache()
    plan, _, ports = generate(program)
    flat = {name: flatten(inputs[name], program.array(name).shape, name) for name in program.inputs}
    arrays = {array.name: array.size for array in plan.program.arrays}
    text = cell_models() + design.netlist

    def told(fraction: float | None, what: str) -> None:
        progress(fraction, f"netlist: {what}")

    simulator = build_simulator(
        text, ports, arrays, cache, limits, script=_SCRIPT, optimise="-O0", progress=told
    )
    told(None, "simulating")
    most = most_cycles(plan)
    found = simulator.run(arrays, flat, program.outputs, most, limits)
    if found is None:
        raise WrongResult(f"the netlist does not end within {most} cycles")
    outputs = {
        name: tuple(program.array(name).type.wrap(value) for value in values)
        for name, values in found[0].items()
    }
    return Simulation(outputs, found[1], "netlist")


def cell_models() -> str:
    """Return Verilog models of MULT18X18D and DP16KD."""
    return "\n".join((*_multiplier(), *_memory())) + "\n"


def _bits(name: str, count: int) -> str:
    return ", ".join(f"{name}{bit}" for bit in range(count))


def _joined(name: str, count: int) -> str:
    return "{" + ", ".join(f"{name}{bit}" for bit in reversed(range(count))) + "}"


def _parameters(values: Mapping[str, str | int]) -> Iterator[str]:
    for name, value in values.items():
        yield (
            f"  parameter {name} = {value};"
            if isinstance(value, int)
            else (f'  parameter {name} = "{value}";')
        )


def _multiplier() -> Iterator[str]:
    inputs = (*(f"{x}{bit}" for x in "ABC" for bit in range(18)), "SIGNEDA", "SIGNEDB")
    yield f"module MULT18X18D(input {', '.join(inputs)}, SOURCEA, SOURCEB,"
    yield f"  input CLK0, CLK1, CLK2, CLK3, CE0, CE1, CE2, CE3, RST0, RST1, RST2, RST3,"  # noqa: F541
    yield f"  output {_bits('P', 36)});"
    registers = ("INPUTA", "INPUTB", "INPUTC", "PIPELINE", "OUTPUT")
    yield from _parameters(
        {
            **{f"REG_{name}_{what}": "NONE" for name in registers for what in ("CLK", "CE", "RST")},
            "GSR": "ENABLED",
            "SOURCEB_MODE": "B_SHIFT",
            "MULT_BYPASS": "DISABLED",
            "RESETMODE": "SYNC",
            "CAS_MATCH_REG": "FALSE",
            "HIGHSPEED_CLK": "NONE",
            **{f"CLK{number}_DIV": "ENABLED" for number in range(4)},
        }
    )
    yield f"  wire [17:0] a = {_joined('A', 18)};"
    yield f"  wire [17:0] b = {_joined('B', 18)};"
    yield "  wire signed [18:0] x = {SIGNEDA & a[17], a};"
    yield "  wire signed [18:0] y = {SIGNEDB & b[17], b};"
    yield "  wire signed [37:0] product = x * y;"
    yield f"  assign {_joined('P', 36)} = product[35:0];"
    yield "endmodule"


def _memory() -> Iterator[str]:
    """Yield a model of 2048 units of nine bits.

    Ports of 9, 18 and 36 bits take one, two or four units; narrower ones parts of a unit's low
    eight bits. A port of 36 bits has its upper half on the other port's pins, and where A writes
    36 bits, B alone reads. Bytes of ports of 18 bits and more are enabled by the low address bits.
    """
    yield "module DP16KD("
    for x in "AB":
        yield f"  input {_bits(f'DI{x}', 18)},"
        yield f"  input {_bits(f'AD{x}', 14)},"
        yield f"  input CE{x}, OCE{x}, CLK{x}, WE{x}, RST{x}, CS{x}0, CS{x}1, CS{x}2,"
        yield f"  output {_bits(f'DO{x}', 18)}{',' if x == 'A' else ');'}"
    settings: dict[str, str | int] = {"RESETMODE": "SYNC", "ASYNC_RESET_RELEASE": "SYNC"}
    for x in "AB":
        settings |= {
            f"DATA_WIDTH_{x}": 18,
            f"REGMODE_{x}": "NOREG",
            f"CSDECODE_{x}": "0b000",
            f"WRITEMODE_{x}": "NORMAL",
            f"CLK{x}MUX": f"CLK{x}",
        }
    yield from _parameters({**settings, "GSR": "AUTO", "INIT_DATA": "STATIC"})
    for number in range(64):
        yield f"  parameter [319:0] INITVAL_{number:02X} = 320'd0;"
    values = ", ".join(f"INITVAL_{number:02X}" for number in reversed(range(64)))
    yield f"  localparam [20479:0] INITIAL = {{{values}}};"
    yield "  reg [8:0] unit [0:2047];"
    yield "  integer i;"
    yield "  generate if (INITIAL != 0)"
    yield "    initial for (i = 0; i < 1024; i = i + 1) begin"
    yield "      unit[2 * i] = INITIAL[20 * i +: 9];"
    yield "      unit[2 * i + 1] = INITIAL[20 * i + 9 +: 9];"
    yield "    end"
    yield "  endgenerate"
    for x, other in (("A", "B"), ("B", "A")):
        yield from _port(x, other)
    # the upper half of a read of 36 bits comes out on B, and so does what B alone reads
    yield "  wire alone = DATA_WIDTH_A == 36 || DATA_WIDTH_B == 36;"
    yield f"  assign {_joined('DOA', 18)} = alone ? outb[17:0] : outa[17:0];"
    yield (f"  assign {_joined('DOB', 18)} = DATA_WIDTH_B == 36 ? outb[35:18] : outb[17:0];")
    yield "endmodule"


def _port(x: str, other: str) -> Sequence[str]:
    low = x.lower()
    width = f"DATA_WIDTH_{x}"
    return [
        f"  wire [13:0] ad{low} = {_joined(f'AD{x}', 14)};",
        f"  wire [35:0] di{low} = {{{_joined(f'DI{other}', 18)}, {_joined(f'DI{x}', 18)}}};",
        f"  wire [10:0] at{low} = {width} == 36 ? {{ad{low}[13:5], 2'd0}} :",
        f"    {width} == 18 ? {{ad{low}[13:4], 1'd0}} : ad{low}[13:3];",
        f"  wire [3:0] be{low} = {width} == 36 ? ad{low}[3:0] :",
        f"    {width} == 18 ? {{2'd0, ad{low}[1:0]}} : 4'd1;",
        f"  wire [8:0] old{low} = unit[at{low}];",
        f"  wire [8:0] mask{low} = {width} == 4 ? 9'd15 << (4 * ad{low}[2]) :",
        f"    {width} == 2 ? 9'd3 << (2 * ad{low}[2:1]) :",
        f"    {width} == 1 ? 9'd1 << ad{low}[2:0] : 9'd511;",
        f"  wire [8:0] new{low} = {width} == 4 ? {{2{{di{low}[3:0]}}}} :",
        f"    {width} == 2 ? {{4{{di{low}[1:0]}}}} :",
        f"    {width} == 1 ? {{8{{di{low}[0]}}}} : di{low}[8:0];",
        f"  wire [8:0] narrow{low} = {width} == 4 ? (old{low} >> (4 * ad{low}[2])) & 9'd15 :",
        f"    {width} == 2 ? (old{low} >> (2 * ad{low}[2:1])) & 9'd3 :",
        f"    {width} == 1 ? (old{low} >> ad{low}[2:0]) & 9'd1 : old{low};",
        f"  reg [35:0] out{low} = 36'd0;",
        f"  always @(posedge CLK{x}) begin",
        f"    if (CE{x} && WE{x}) begin",
        f"      if (be{low}[0]) unit[at{low}] <= (old{low} & ~mask{low}) | (new{low} & mask{low});",
        f"      if ({width} >= 18 && be{low}[1]) unit[at{low} + 1] <= di{low}[17:9];",
        f"      if ({width} == 36 && be{low}[2]) unit[at{low} + 2] <= di{low}[26:18];",
        f"      if ({width} == 36 && be{low}[3]) unit[at{low} + 3] <= di{low}[35:27];",
        "    end",
        f'    if (CE{x} && (!WE{x} || WRITEMODE_{x} == "READBEFOREWRITE"))',
        f"      out{low} <= {width} >= 18 ?",
        f"        {{unit[at{low} + 3], unit[at{low} + 2], unit[at{low} + 1], old{low}}} :"
        f" {{27'd0, narrow{low}}};",
        f"    if (RST{x}) out{low} <= 36'd0;",
        "  end",
    ]
