"""The cells of ECP5: which of them netlists may hold to be simulated, and models of those without one.

Yosys brings models of look-up tables, registers, carry chains and small memories. Those of the
multiplier and of the block memory are here (Lattice, "ECP5 and ECP5-5G sysDSP Usage Guide", FPGA-TN-02205,
and "Memory Usage Guide", FPGA-TN-02204), as far as Yosys uses them: without their registers, in the
modes of writing that it asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

__all__ = ["MODELLED", "cell_models", "unmodelled"]

#: cells that can be simulated
MODELLED: Final = frozenset(
    {
        "CCU2C",
        "DP16KD",
        "L6MUX21",
        "LUT4",
        "MULT18X18D",
        "PFUMX",
        "TRELLIS_DPR16X4",
        "TRELLIS_FF",
        "VHI",
        "VLO",
    }
)

# values of parameters that the models below heed; others of the same cells change nothing here
_SETTINGS: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "MULT18X18D": {
        "MULT_BYPASS": frozenset({"DISABLED"}),
        **{
            f"REG_{name}_CLK": frozenset({"NONE"})
            for name in ("INPUTA", "INPUTB", "INPUTC", "PIPELINE", "OUTPUT")
        },
    },
    "DP16KD": {
        key: frozenset(values)
        for x in "AB"
        for key, values in {
            f"DATA_WIDTH_{x}": {"1", "2", "4", "9", "18", "36"},
            f"REGMODE_{x}": {"NOREG"},
            f"CSDECODE_{x}": {"0b000"},
            f"CLK{x}MUX": {f"CLK{x}"},
            f"WRITEMODE_{x}": {"NORMAL", "READBEFOREWRITE"},
        }.items()
    },
}
# inputs that must be constants, since the models do not look at them
_TIED: Final[Mapping[str, Mapping[str, str]]] = {
    "MULT18X18D": {"SOURCEA": "0", "SOURCEB": "0"},
    "DP16KD": {
        **{f"CS{x}{bit}": "0" for x in "AB" for bit in range(3)},
        # resets without a clock are modelled with one
        "RSTA": "0",
        "RSTB": "0",
    },
}

_CELL: Final = re.compile(
    r"^  (MULT18X18D|DP16KD) (?:#\(\n(?P<parameters>.*?)\n  \) )?\S+ +\(\n(?P<pins>.*?)\n  \);",
    re.MULTILINE | re.DOTALL,
)
_NAMED: Final = re.compile(r"^    \.(\w+)\((.*?)\),?$", re.MULTILINE)
_NUMBER: Final = re.compile(r"\d+'([hd])([0-9a-f]+)\Z")


def unmodelled(netlist: str, cells: Mapping[str, int]) -> str | None:
    """Return what a netlist holds that cannot be simulated, None if there is nothing.

    Args:
        netlist: Verilog as Yosys writes it, with a parameter or pin a line.
        cells: how many of each cell it has.
    """
    unknown = sorted(cell for cell in cells if cell not in MODELLED)
    if unknown:
        return f"no model of {', '.join(unknown)}"
    for found in _CELL.finditer(netlist):
        cell = found[1]
        parameters = dict(_NAMED.findall(found["parameters"] or ""))
        for name, allowed in _SETTINGS[cell].items():
            if name in parameters and _plain(parameters[name]) not in allowed:
                return f"no model of {cell} with {name} {_plain(parameters[name])}"
        pins = dict(_NAMED.findall(found["pins"]))
        for name, value in _TIED[cell].items():
            if name in pins and _plain(pins[name]) not in ("", value):
                return f"no model of {cell} with {name} connected"
    return None


def _plain(value: str) -> str:
    """Return a Verilog string without quotes, a Verilog number in decimal."""
    number = _NUMBER.match(value)
    if number is not None:
        return str(int(number[2], 16 if number[1] == "h" else 10))
    return value.strip('"')


def cell_models() -> str:
    """Return Verilog models of MULT18X18D and DP16KD, as far as `unmodelled` says."""
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
    yield "  input CLK0, CLK1, CLK2, CLK3, CE0, CE1, CE2, CE3, RST0, RST1, RST2, RST3,"
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
