"""What the target languages do differently; `Dialect` holds what C-like languages share."""

# ruff: noqa: ARG002 - a language need not use all that a dialect is told

from __future__ import annotations

from daybreak import BuildFailed
from daybreak_rise.codegen.ir import Barrier, Buffer, Level

__all__ = ["Dialect"]

_INFIX = {
    "or": ("||", 1),
    "and": ("&&", 2),
    "eq": ("==", 3),
    "lt": ("<", 4),
    "le": ("<=", 4),
    "gt": (">", 4),
    "ge": (">=", 4),
    "add": ("+", 5),
    "sub": ("-", 5),
    "mul": ("*", 6),
    "div": ("/", 6),
}


class Dialect:
    """A language to print programs in.

    `prelude` collects what a source needs at its top, in the order of first use.
    """

    name = ""
    infix = _INFIX
    scalars = {"f32": "float", "f64": "double", "i32": "int", "bool": "unsigned char"}  # noqa: RUF012

    def __init__(self) -> None:
        self.prelude: dict[str, str] = {}

    def type(self, scalar: str, width: int = 1) -> str:
        """Return the name of a scalar or vector type."""
        if width == 1:
            return self.scalars[scalar] if scalar != "bool" else "int"
        return self.vector(scalar, width)

    def vector(self, scalar: str, width: int) -> str:
        """Return the name of a vector type.

        Raises:
            BuildFailed: the language has no such vectors.
        """
        raise NotImplementedError

    def widths(self, scalar: str, width: int, allowed: tuple[int, ...]) -> None:
        """Check a vector's width."""
        if width not in allowed:
            known = ", ".join(map(str, allowed))
            raise BuildFailed(f"{self.name} has no vectors of {width} {scalar}, only of {known}")

    def place(self, level: Level, dimension: int) -> str:
        """Return the expression for the own place at a level."""
        raise NotImplementedError

    def parameter(self, buffer: Buffer, written: bool) -> str:
        """Return a pointer parameter."""
        raise NotImplementedError

    def header(self, name: str, parameters: list[str], local: tuple[int, int, int]) -> str:
        """Return a kernel's head, up to its opening brace."""
        raise NotImplementedError

    def local(self, buffer: Buffer) -> str:
        """Return the declaration of memory that a work-group shares."""
        raise NotImplementedError

    def array(self, buffer: Buffer) -> str:
        """Return the declaration of a private array."""
        return f"{self.scalars[buffer.scalar]} {buffer.name}[{buffer.length}];"

    def table(self, buffer: Buffer, numbers: str) -> str:
        """Return the declaration of a table of numbers, outside all functions."""
        raise NotImplementedError

    def barrier(self, barrier: Barrier) -> str:
        """Return a barrier."""
        raise NotImplementedError

    def load(self, buffer: Buffer, offset: str, width: int, aligned: bool) -> str:
        """Return a vector read from memory."""
        raise NotImplementedError

    def store(self, buffer: Buffer, offset: str, value: str, width: int, aligned: bool) -> str:
        """Return a statement that writes a vector to memory."""
        raise NotImplementedError

    def lane(self, vector: str, lane: int) -> str:
        """Return one lane, by its number, of a vector in a variable."""
        raise NotImplementedError

    def lane_at(self, vector: str, lane: str, scalar: str, width: int) -> str:
        """Return one lane, by a computed number, of a vector: a variable or what is computed."""
        return f"{vector}[{lane}]"

    def copies(self, value: str, scalar: str, width: int) -> str:
        """Return a vector of equal lanes."""
        raise NotImplementedError

    def pack(self, lanes: list[str], scalar: str) -> str:
        """Return a vector of these lanes."""
        raise NotImplementedError

    def call(self, name: str, arguments: list[str], scalar: str, width: int) -> str:
        """Return a scalar pattern that is no operator, applied (`mod`, `min`, `sqrt`, ...)."""
        raise NotImplementedError

    def choose(self, test: str, yes: str, no: str, scalar: str, width: int) -> str:
        """Return the choice between two values by a scalar test; arguments are parenthesised."""
        return f"({test} ? {yes} : {no})"

    def unroll(self, count: int) -> str:
        """Return the line before a loop that the compiler should write out."""
        return "#pragma unroll"

    def threads(self) -> str | None:
        """Return the line before a loop that the threads of a CPU share."""
        return None
