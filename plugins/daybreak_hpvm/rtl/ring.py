"""A ring of registers around a placed design, so that it needs four pins and no more.

What goes into the design comes from a shift register, what comes out of it goes into another one by
exclusive or (a signature register, as in built-in self-tests): nothing is optimised away, and every
path at the border starts or ends in a register near it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["ring"]


def ring(inputs: Sequence[tuple[str, int]], outputs: Sequence[tuple[str, int]]) -> str:
    """Return Verilog of module ``ring`` of ECP5 cells around module ``top``.

    Args:
        inputs: signals and widths, without clock and reset.
        outputs: signals and widths.
    """
    return "\n".join(_lines(inputs, outputs)) + "\n"


def _lines(inputs: Sequence[tuple[str, int]], outputs: Sequence[tuple[str, int]]) -> Iterator[str]:
    into = sum(width for _, width in inputs)
    out = sum(width for _, width in outputs)
    yield "module ring(input clk, input rst, input si, output so);"
    yield f"  wire [{into}:0] i;"
    yield f"  wire [{out}:0] s;"
    yield f"  wire [{out - 1}:0] o;"
    yield f"  wire [{out - 1}:0] x;"
    yield "  assign i[0] = si;"
    yield f"  assign s[0] = i[{into}];"
    yield f"  assign so = s[{out}];"
    for k in range(into):
        yield from _register(f"fi{k}", f"i[{k}]", f"i[{k + 1}]")
    for k in range(out):
        yield (
            f"  LUT4 #(.INIT(16'h6666)) x{k} (.A(s[{k}]), .B(o[{k}]), .C(1'b0), .D(1'b0), "
            f".Z(x[{k}]));"
        )
        yield from _register(f"fo{k}", f"x[{k}]", f"s[{k + 1}]")
    connections = [".clk(clk)", ".rst(rst)"]
    at = 1
    for name, width in inputs:
        connections.append(f".{name}(i[{at + width - 1}:{at}])")
        at += width
    at = 0
    for name, width in outputs:
        connections.append(f".{name}(o[{at + width - 1}:{at}])")
        at += width
    yield f"  top core ({', '.join(connections)});"
    yield "endmodule"


def _register(name: str, source: str, target: str) -> Iterator[str]:
    yield (
        '  TRELLIS_FF #(.GSR("DISABLED"), .CEMUX("1"), .CLKMUX("CLK"), .LSRMUX("LSR"), '
        '.REGSET("RESET"), .SRMODE("LSR_OVER_CE"))'
    )
    yield f"    {name} (.CLK(clk), .LSR(1'b0), .CE(1'b1), .DI({source}), .Q({target}));"
