"""Models of the device's cells against what the cells are documented to do, worked out in Python."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

pytest.importorskip("amaranth", reason="needs Amaranth (extra `hpvm`)")

from hpvm_cells import run_yosys, simulate

from daybreak_hpvm.rtl.cells import MODELLED, cell_models, unmodelled


def signed(value: int, bits: int) -> int:
    """Return what `bits` bits mean in two's complement."""
    return value - (1 << bits) if value >> (bits - 1) else value


# ---- which netlists can be simulated

BLOCK = """\
  DP16KD #(
    .DATA_WIDTH_A(32'd18),
    .REGMODE_A("NOREG"),
    .WRITEMODE_B("NORMAL")
  ) \\kept.0.0  (
    .ADA0(\\kept.0.0_ADA0 ),
    .CSA0(1'h0),
    .RSTA(1'h0),
    .RSTB(1'h0)
  );
"""
PRODUCT = """\
  MULT18X18D #(
    .REG_INPUTA_CLK("NONE")
  ) p (
    .SIGNEDA(1'h1),
    .SOURCEA(1'h0)
  );
"""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("", ""), None),
        (('"NOREG"', '"OUTREG"'), "DP16KD with REGMODE_A OUTREG"),
        (('"NORMAL"', '"WRITETHROUGH"'), "DP16KD with WRITEMODE_B WRITETHROUGH"),
        (("32'd18", "32'd12"), "DP16KD with DATA_WIDTH_A 12"),
        ((".RSTB(1'h0)", ".RSTB(rst)"), "DP16KD with RSTB connected"),
        ((".CSA0(1'h0)", ".CSA0(1'h1)"), "DP16KD with CSA0 connected"),
        (('"NONE"', '"CLK0"'), "MULT18X18D with REG_INPUTA_CLK CLK0"),
        ((".SOURCEA(1'h0)", ".SOURCEA(shift)"), "MULT18X18D with SOURCEA connected"),
    ],
)
def test_what_has_no_model_is_named(change: tuple[str, str], told: str | None) -> None:
    netlist = (BLOCK + PRODUCT).replace(*change, 1)
    found = unmodelled(netlist, {"DP16KD": 1, "MULT18X18D": 1, "LUT4": 7})
    assert found == (None if told is None else f"no model of {told}")


def test_cells_without_a_model_are_named() -> None:
    assert (
        unmodelled("", {"LUT4": 1, "ALU54B": 1, "PCSCLKDIV": 1}) == "no model of ALU54B, PCSCLKDIV"
    )
    assert unmodelled("", dict.fromkeys(MODELLED, 1)) is None


# ---- the multiplier


@pytest.mark.slow
def test_the_multiplier_in_all_modes(tmp_path: Path) -> None:
    def pins(name: str, signal: str, bits: int) -> str:
        return ", ".join(f".{name}{k}({signal}[{k}])" for k in range(bits))

    text = (
        cell_models()
        + f"""
module top(input clk, input [17:0] a, input [17:0] b, input sa, input sb, output [35:0] p);
  MULT18X18D one ({pins("A", "a", 18)}, {pins("B", "b", 18)}, {pins("P", "p", 36)},
    .SIGNEDA(sa), .SIGNEDB(sb));
endmodule
"""
    )
    draw = random.Random(0)
    edges = [0, 1, 2, (1 << 17) - 1, 1 << 17, (1 << 17) + 1, (1 << 18) - 2, (1 << 18) - 1]
    values = [(a, b) for a in edges for b in edges]
    values += [(draw.getrandbits(18), draw.getrandbits(18)) for _ in range(200)]
    vectors = [
        {"a": a, "b": b, "sa": sa, "sb": sb} for a, b in values for sa in (0, 1) for sb in (0, 1)
    ]
    found = simulate(text, ["a", "b", "sa", "sb"], ["p"], vectors, tmp_path)
    for vector, made in zip(vectors, found, strict=True):
        a = signed(vector["a"], 18) if vector["sa"] else vector["a"]
        b = signed(vector["b"], 18) if vector["sb"] else vector["b"]
        assert made["p"] == (a * b) % (1 << 36), vector


# ---- block memory: behaviour in, Yosys's cells out

SHAPES = [(3000, 1), (2100, 2), (1100, 4), (700, 9), (500, 18), (300, 36), (90, 30), (5000, 3)]


def memories(contents: bool) -> str:
    """Return a memory of each shape with its own ports; ``o`` keeps its output if not enabled."""
    lines = ["module top(input clk, input [13:0] w, input [13:0] r, input [35:0] d, input e,"]
    lines.append(", ".join(f"output reg [{bits - 1}:0] q{k}" for k, (_, bits) in enumerate(SHAPES)))
    lines.append(");")
    for k, (depth, bits) in enumerate(SHAPES):
        lines.append(f'(* ram_style = "block" *) reg [{bits - 1}:0] m{k} [0:{depth - 1}];')
        if contents:
            lines.append(f"integer i{k}; reg [31:0] h{k};")
            lines.append(f"initial for (i{k} = 0; i{k} < {depth}; i{k} = i{k} + 1) begin")
            lines.append(f"  h{k} = i{k} * 32'd2654435761; m{k}[i{k}] = h{k} >> {k + 1};")
            lines.append("end")
        lines.append("always @(posedge clk) begin")
        lines.append(f"  if (e && w < {depth}) m{k}[w] <= d;")
        lines.append(f"  q{k} <= m{k}[r];")
        lines.append("end")
    return "\n".join([*lines, "endmodule"])


@pytest.mark.slow
@pytest.mark.parametrize("contents", [False, True], ids=["empty", "with contents"])
def test_block_memories_of_every_width(contents: bool, tmp_path: Path) -> None:
    (tmp_path / "design.v").write_text(memories(contents), encoding="utf-8")
    run_yosys(
        "read_verilog design.v; synth_ecp5 -top top; write_verilog -noattr -noexpr netlist.v",
        tmp_path,
    )
    netlist = (tmp_path / "netlist.v").read_text(encoding="utf-8")
    widths = set(re.findall(r"\.DATA_WIDTH_[AB]\(32'd(\d+)\)", netlist))
    assert widths >= {"1", "2", "4", "9", "18", "36"}
    cells = dict.fromkeys(re.findall(r"^  ([A-Z]\w+) (?:#\(|\S+ +\()", netlist, re.MULTILINE), 1)
    assert unmodelled(netlist, cells) is None
    draw = random.Random(1)
    vectors = []
    for _ in range(4000):
        depth = draw.choice(SHAPES)[0]
        w, r = draw.randrange(depth), draw.randrange(depth)
        # not the same place at once: what comes out then is not defined
        r = (r + 1) % depth if r == w else r
        vectors.append({"w": w, "r": r, "d": draw.getrandbits(36), "e": draw.randrange(2)})
    known: list[dict[int, int]] = []
    for k, (depth, bits) in enumerate(SHAPES):
        initial = [(i * 2654435761 % (1 << 32)) >> (k + 1) if contents else 0 for i in range(depth)]
        known.append({i: value % (1 << bits) for i, value in enumerate(initial)})
    names = [f"q{k}" for k in range(len(SHAPES))]
    found = simulate(cell_models() + netlist, ["w", "r", "d", "e"], names, vectors, tmp_path)
    checked = 0
    expected: dict[str, int] = {}
    for vector, made in zip(vectors, found, strict=True):
        for name, value in expected.items():
            assert made[name] == value, (name, vector)
            checked += 1
        expected = {}
        for k, (depth, bits) in enumerate(SHAPES):
            if vector["r"] < depth:
                expected[f"q{k}"] = known[k][vector["r"]]
            if vector["e"] and vector["w"] < depth:
                known[k][vector["w"]] = vector["d"] % (1 << bits)
    assert checked > 8000


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["NORMAL", "READBEFOREWRITE"])
def test_a_block_of_two_ports_with_enabled_bytes(mode: str, tmp_path: Path) -> None:
    # port A: 18 bits with a bit of enabling for each 9; port B: 9 bits of the same memory
    def pins(name: str, signal: str, count: int, first: int = 0) -> str:
        return ", ".join(f".{name}{k + first}({signal}[{k}])" for k in range(count))

    low = sum((0x155 ^ k) << (20 * (k // 2) + 9 * (k % 2)) for k in range(32))
    text = (
        cell_models()
        + f"""
module top(input clk, input [9:0] aa, input [1:0] ba, input [17:0] da, input wa, input ca,
           input [10:0] ab, input [8:0] db, input wb, input cb,
           output [17:0] qa, output [8:0] qb);
  DP16KD #(.DATA_WIDTH_A(18), .DATA_WIDTH_B(9), .WRITEMODE_A("{mode}"), .WRITEMODE_B("{mode}"),
    .INITVAL_00(320'h{low:x})) block (
    .CLKA(clk), .CEA(ca), .WEA(wa), .OCEA(1'b1), .RSTA(1'b0), .CSA0(1'b0), .CSA1(1'b0), .CSA2(1'b0),
    .CLKB(clk), .CEB(cb), .WEB(wb), .OCEB(1'b1), .RSTB(1'b0), .CSB0(1'b0), .CSB1(1'b0), .CSB2(1'b0),
    {pins("ADA", "ba", 2)}, .ADA2(1'b0), .ADA3(1'b0), {pins("ADA", "aa", 10, 4)},
    .ADB0(1'b0), .ADB1(1'b0), .ADB2(1'b0), {pins("ADB", "ab", 11, 3)},
    {pins("DIA", "da", 18)}, {pins("DIB", "db", 9)}, {pins("DOA", "qa", 18)}, {pins("DOB", "qb", 9)});
endmodule
"""
    )
    draw = random.Random(2)
    names = {"aa": 5, "ba": 2, "da": 18, "wa": 1, "ca": 1, "ab": 6, "db": 9, "wb": 1, "cb": 1}
    vectors = []
    for _ in range(3000):
        vector = {name: draw.getrandbits(bits) for name, bits in names.items()}
        if vector["ab"] >> 1 == vector["aa"]:  # two ports at one place at once: not defined
            vector["ab"] ^= 2
        vectors.append(vector)
    found = simulate(text, list(names), ["qa", "qb"], vectors, tmp_path)
    unit = [(0x155 ^ k) % 512 if k < 32 else 0 for k in range(2048)]
    qa = qb = 0
    for vector, made in zip(vectors, found, strict=True):
        assert (made["qa"], made["qb"]) == (qa, qb), vector
        at = 2 * vector["aa"]
        old_a, old_b = unit[at] | unit[at + 1] << 9, unit[vector["ab"]]
        reads = mode == "READBEFOREWRITE"
        if vector["ca"]:
            qa = old_a if reads or not vector["wa"] else qa
            for k in range(2):
                if vector["wa"] and vector["ba"] >> k & 1:
                    unit[at + k] = vector["da"] >> 9 * k & 511
        if vector["cb"]:
            qb = old_b if reads or not vector["wb"] else qb
            if vector["wb"]:
                unit[vector["ab"]] = vector["db"]


# ---- cells that Yosys has models of: as CXXRTL understands them


def _lut(init: int, *bits: int) -> int:
    return init >> sum(bit << k for k, bit in enumerate(bits)) & 1


@pytest.mark.slow
def test_look_up_tables_and_what_joins_them(tmp_path: Path) -> None:
    draw = random.Random(3)
    tables = [draw.getrandbits(16) for _ in range(6)]
    text = (
        cell_models()
        + f"""
module top(input clk, input [7:0] x, output z, output wide, output s0, output s1, output c);
  LUT4 #(.INIT(16'd{tables[0]})) l0 (.A(x[0]), .B(x[1]), .C(x[2]), .D(x[3]), .Z(z));
  wire [3:0] t;
  wire p, q;
  LUT4 #(.INIT(16'd{tables[0]})) m0 (.A(x[0]), .B(x[1]), .C(x[2]), .D(x[3]), .Z(t[0]));
  LUT4 #(.INIT(16'd{tables[1]})) m1 (.A(x[0]), .B(x[1]), .C(x[2]), .D(x[3]), .Z(t[1]));
  LUT4 #(.INIT(16'd{tables[2]})) m2 (.A(x[0]), .B(x[1]), .C(x[2]), .D(x[3]), .Z(t[2]));
  LUT4 #(.INIT(16'd{tables[3]})) m3 (.A(x[0]), .B(x[1]), .C(x[2]), .D(x[3]), .Z(t[3]));
  PFUMX p0 (.ALUT(t[1]), .BLUT(t[0]), .C0(x[4]), .Z(p));
  PFUMX p1 (.ALUT(t[3]), .BLUT(t[2]), .C0(x[4]), .Z(q));
  L6MUX21 w (.D0(p), .D1(q), .SD(x[5]), .Z(wide));
  CCU2C #(.INIT0(16'd{tables[4]}), .INIT1(16'd{tables[5]}), .INJECT1_0("NO"), .INJECT1_1("NO")) k (
    .CIN(x[6]), .A0(x[0]), .B0(x[1]), .C0(x[2]), .D0(x[3]), .A1(x[4]), .B1(x[5]), .C1(x[7]),
    .D1(x[0]), .S0(s0), .S1(s1), .COUT(c));
endmodule
"""
    )
    vectors = [{"x": x} for x in range(256)]
    found = simulate(text, ["x"], ["z", "wide", "s0", "s1", "c"], vectors, tmp_path)
    for vector, made in zip(vectors, found, strict=True):
        x = [vector["x"] >> k & 1 for k in range(8)]
        assert made["z"] == _lut(tables[0], *x[:4])
        assert made["wide"] == _lut(tables[x[4] + 2 * x[5]], *x[:4])
        # a carry cell: a sum bit is table xor carry; the carry goes on where the table is 1, else it is
        # that of the table's first four entries
        carry = x[6]
        for table, bits, name in (
            (tables[4], x[:4], "s0"),
            (tables[5], [x[4], x[5], x[7], x[0]], "s1"),
        ):
            propagate, generate = _lut(table, *bits), _lut(table & 15, *bits[:2])
            assert made[name] == propagate ^ carry
            carry = carry if propagate else generate
        assert made["c"] == carry


@pytest.mark.slow
def test_registers_and_small_memories(tmp_path: Path) -> None:
    modes = [
        (ce, lsr, over) for ce in ("1", "CE", "INV") for lsr in ("LSR", "INV") for over in (0, 1)
    ]
    lines = []
    for k, (ce, lsr, value) in enumerate(modes):
        lines.append(
            f'  TRELLIS_FF #(.GSR("DISABLED"), .CEMUX("{ce}"), .CLKMUX("CLK"), .LSRMUX("{lsr}"), '
            f'.REGSET("{("RESET", "SET")[value]}"), .SRMODE("LSR_OVER_CE")) f{k} '
            f"(.CLK(clk), .LSR(l), .CE(e), .DI(d), .Q(q[{k}]));"
        )
    text = (
        cell_models()
        + f"""
module top(input clk, input d, input e, input l, input [3:0] w, input [3:0] r, input [3:0] i,
           output [{len(modes) - 1}:0] q, output [3:0] o);
{chr(10).join(lines)}
  TRELLIS_DPR16X4 #(.INITVAL(64'hfedcba9876543210), .WCKMUX("WCK"), .WREMUX("WRE")) m
    (.DI(i), .WAD(w), .WRE(e), .WCK(clk), .RAD(r), .DO(o));
endmodule
"""
    )
    draw = random.Random(4)
    names = {"d": 1, "e": 1, "l": 1, "w": 4, "r": 4, "i": 4}
    vectors = [{name: draw.getrandbits(bits) for name, bits in names.items()} for _ in range(500)]
    found = simulate(text, list(names), ["q", "o"], vectors, tmp_path)
    states = [value for _, _, value in modes]
    memory = list(range(16))
    for number, (vector, made) in enumerate(zip(vectors, found, strict=True)):
        assert made["o"] == memory[vector["r"]]
        if number:
            assert [made["q"] >> k & 1 for k in range(len(modes))] == states
        for k, (ce, lsr, value) in enumerate(modes):
            reset = vector["l"] ^ (lsr == "INV")
            enabled = {"1": 1, "CE": vector["e"], "INV": 1 - vector["e"]}[ce]
            states[k] = value if reset else vector["d"] if enabled else states[k]
        if vector["e"]:
            memory[vector["w"]] = vector["i"]
