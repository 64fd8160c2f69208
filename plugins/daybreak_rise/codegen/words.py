"""Indices and values as text, in any dialect."""

from __future__ import annotations

import math
from collections.abc import Mapping

from daybreak_rise.codegen.dialect import Dialect
from daybreak_rise.codegen.index import Atom, Clamp, Index, Quotient, Read, Remainder, Variable
from daybreak_rise.codegen.ir import (
    Buffer,
    Level,
    Space,
)
from daybreak_rise.codegen.registers import Registers
from daybreak_rise.codegen.values import (
    Broadcast,
    Choice,
    Constant,
    Inside,
    Lane,
    Load,
    Number,
    Operation,
    Pack,
    Register,
    Value,
)

__all__ = ["Scope", "Words", "aligned"]


_ATOM, _UNARY, _SUM, _PRODUCT = 9, 8, 5, 6


class Scope:
    """A pair of braces: lines to put at its top, lines after them, offsets already named."""

    __slots__ = ("header", "lines", "named")

    def __init__(self) -> None:
        self.header: list[str] = []
        self.lines: list[str] = []
        self.named: dict[Index, str] = {}


class Words:
    """Names of what a kernel uses, and the text of its indices and values."""

    def __init__(
        self, dialect: Dialect, registers: Registers, places: Mapping[Variable, tuple[Level, int]]
    ) -> None:
        self.dialect = dialect
        self.registers = registers
        self.places = places
        self.now: dict[Variable, Index] = {}
        self.depths: dict[Variable, int] = {}
        self.names: dict[Variable, str] = {}
        self.scopes = [Scope()]
        self.tables: dict[Buffer, str] = {}
        self.declared: set[Register] = set()
        self.taken: dict[str, int] = {}
        self.copies = 0  # how deep the present statement is in code that is written out

    # ---- indices

    def _named(self, variable: Variable, hint: str) -> str:
        count = self.taken.get(hint, 0)
        self.taken[hint] = count + 1
        self.names[variable] = name = hint if not count else f"{hint}_{count}"
        return name

    def _name(self, variable: Variable) -> str:
        name = self.names.get(variable)
        if name is None:
            level, dimension = self.places[variable]
            self.names[variable] = name = variable.name
            self.depths[variable] = 0
            place = self.dialect.place(level, dimension)
            self.scopes[0].header.append(f"  const int {name} = {place};")
        return name

    def offset(self, offset: Index) -> str:
        """Return an offset; the part that does not change here is computed further out."""
        index = offset.replaced(self.now) if self.now else offset
        here = len(self.scopes) - 1
        outer: list[tuple[Atom, int]] = []
        inner: list[tuple[Atom, int]] = []
        # in code that is written out, what the copies share gets a name as well
        limit = here + 1 if self.copies else here
        for term in index.terms:
            (outer if self._depth(term[0]) < limit else inner).append(term)
        if len(outer) < 2 and not any(
            isinstance(a, Quotient | Remainder | Clamp) for a, _ in outer
        ):
            return self._sum(index.terms, index.rest)
        base = Index(tuple(outer), 0)
        depth = max(self._depth(atom) for atom, _ in outer)
        scope = self.scopes[depth]
        name = scope.named.get(base)
        if name is None:
            count = self.taken.get("o", 0)
            self.taken["o"] = count + 1
            name = scope.named[base] = f"o{count}"
            text = self._sum(base.terms, 0)
            scope.header.append("  " * (depth + 1) + f"const int {name} = {text};")
        rest = self._sum(tuple(inner), index.rest)
        if rest == "0":
            return name
        return f"{name} - {rest[1:]}" if rest.startswith("-") else f"{name} + {rest}"

    def _depth(self, atom: Atom) -> int:
        if isinstance(atom, Variable):
            if atom not in self.names:
                self._name(atom)
            return self.depths[atom]
        if isinstance(atom, Read):
            return len(self.scopes)
        assert isinstance(atom, Quotient | Remainder | Clamp)  # noqa: S101
        if atom.of.reads():
            return len(self.scopes)
        return max((self._depth(v) for v in atom.of.variables()), default=0)

    def number(self, index: Index) -> str:
        """Return an index, parenthesised where it is a sum."""
        index = index.replaced(self.now)
        return self._sum(index.terms, index.rest)

    def _sum(self, terms: tuple[tuple[Atom, int], ...], rest: int) -> str:
        text = ""
        for atom, factor in terms:
            body = self._atom(atom)
            size = abs(factor)
            part = body if size == 1 else f"{size} * {body}"
            if not text:
                text = part if factor > 0 else f"-{part}"
            else:
                text += f" + {part}" if factor > 0 else f" - {part}"
        if not text:
            return str(rest)
        return text if rest == 0 else f"{text} + {rest}" if rest > 0 else f"{text} - {-rest}"

    def _atom(self, atom: Atom) -> str:
        match atom:
            case Variable():
                return self._name(atom)
            case Quotient():
                return self._divided(atom.of, atom.by, "/")
            case Remainder():
                return self._divided(atom.of, atom.by, "%")
            case Clamp():
                inside = self._sum(atom.of.terms, atom.of.rest)
                low = self.dialect.call("max", [inside, str(atom.low)], "i32", 1)
                return self.dialect.call("min", [low, str(atom.high)], "i32", 1)
            case Read():
                text = self.expression(atom.value)[0]
                return f"(int)({text})" if atom.value.scalar != "i32" else f"({text})"
        raise AssertionError(atom)

    def _divided(self, top: Index, by: int, sign: str) -> str:
        if by & (by - 1) == 0:
            # shifts and masks round down, as quotients of indices do
            text = self._sum(top.terms, top.rest)
            return (
                f"(({text}) >> {by.bit_length() - 1})" if sign == "/" else f"(({text}) & {by - 1})"
            )
        up = -(top.low // by) if top.low < 0 else 0
        text = self._sum(top.terms, top.rest + up * by)
        inner = f"(({text}) {sign} {by})"
        return f"({inner} - {up})" if up and sign == "/" else inner

    # ---- values

    def text(self, value: Value) -> str:
        """Return a value."""
        return self.expression(value)[0]

    def at(self, value: Value, strength: int) -> str:
        """Return a value, in parentheses if it binds more weakly than `strength`."""
        text, own = self.expression(value)
        return text if own >= strength else f"({text})"

    def expression(self, value: Value) -> tuple[str, int]:
        """Return a value's text and how strongly it binds."""
        match value:
            case Constant():
                return self._constant(value.value, value.scalar)
            case Register():
                return value.name, _ATOM
            case Load():
                return self._load(value)
            case Operation():
                return self._operation(value)
            case Number():
                index = value.of.replaced(self.now)
                text = self._sum(index.terms, index.rest)
                simple = index.known and index.rest >= 0
                return text, _ATOM if simple or text.isidentifier() else _SUM
            case Choice():
                known = self._known(value.test)
                if known is not None:
                    return self.expression(value.yes if known else value.no)
                test, yes, no = (self.at(v, _UNARY) for v in (value.test, value.yes, value.no))
                return self.dialect.choose(test, yes, no, value.scalar, value.width), _ATOM
            case Inside():
                return self._inside(value)
            case Broadcast():
                return self.dialect.copies(
                    self.at(value.of, _UNARY), value.scalar, value.width
                ), _ATOM
            case Pack():
                return self.dialect.pack([self.text(v) for v in value.lanes], value.scalar), _UNARY
            case Lane():
                return self._lane(value), _ATOM
        raise AssertionError(value)

    def _load(self, value: Load) -> tuple[str, int]:
        buffer = value.buffer
        if buffer in self.registers.widths:
            text = self._register(buffer, value.offset, value.width)
            return text, _ATOM if value.width <= self.registers.widths[buffer] else _UNARY
        if buffer.space is Space.TABLE:
            number = self._table_number(value)
            if number is not None:
                return self._constant(number, buffer.scalar)
            self._table(buffer)
        if value.width == 1:
            return f"{buffer.name}[{self.offset(value.offset)}]", _ATOM
        if buffer.space is Space.TABLE:
            lanes = [self.text(Load(buffer, value.offset + lane)) for lane in range(value.width)]
            return self.dialect.pack(lanes, value.scalar), _UNARY
        text = self.dialect.load(
            buffer, self.offset(value.offset), value.width, aligned(value.offset, value.width)
        )
        return text, _UNARY

    def _register(self, buffer: Buffer, offset: Index, width: int) -> str:
        place = offset.replaced(self.now)
        assert place.known, (buffer, place)  # noqa: S101  (registers.plan saw to it)
        held = self.registers.widths[buffer]
        if width > held:
            # only reads are wider than what they read (see registers.plan)
            lanes = [self._element(buffer, place.rest + lane) for lane in range(width)]
            return self.dialect.pack(lanes, buffer.scalar)
        number, lane = divmod(place.rest, held)
        name = self._element(buffer, number)
        return name if width == held else self.dialect.lane(name, lane)

    def _element(self, buffer: Buffer, number: int) -> str:
        width = self.registers.widths[buffer]
        return buffer.name if buffer.length == width else f"{buffer.name}_{number}"

    def _table_number(self, value: Load) -> float | None:
        if value.width != 1:
            return None
        place = value.offset.replaced(self.now)
        return value.buffer.table[place.rest] if place.known else None

    def _table(self, buffer: Buffer) -> None:
        if buffer not in self.tables:
            numbers = ", ".join(self._constant(n, buffer.scalar)[0] for n in buffer.table)
            self.tables[buffer] = self.dialect.table(buffer, numbers)

    def _number_of(self, value: Value) -> float | None:
        """Return the number that a value certainly is."""
        if isinstance(value, Constant):
            return value.value
        if isinstance(value, Load) and value.buffer.space is Space.TABLE:
            return self._table_number(value)
        if isinstance(value, Broadcast):
            return self._number_of(value.of)
        if isinstance(value, Operation) and value.name == "mul":
            # as it is written: see _operation
            return 0.0 if any(self._number_of(one) == 0 for one in value.arguments) else None
        return None

    def _neutral(self, value: Operation) -> bool:
        return any(self._number_of(v) in (0, 1) for v in value.arguments)

    def _operation(self, value: Operation) -> tuple[str, int]:
        name = value.name
        if name in ("add", "mul"):
            # x + 0, x * 1 and x * 0, which written-out weights often give
            first, second = value.arguments
            for one, other in ((first, second), (second, first)):
                number = self._number_of(one)
                if number == (0 if name == "add" else 1):
                    return self.expression(other)
                if name == "mul" and number == 0:
                    return self.expression(one)
        infix = self.dialect.infix.get(name)
        if infix is not None:
            sign, level = infix
            first, second = value.arguments
            return f"{self.at(first, level)} {sign} {self.at(second, level + 1)}", level
        if name == "neg":
            return f"-{self.at(value.arguments[0], _ATOM)}", _UNARY
        if name == "not":
            return f"!{self.at(value.arguments[0], _ATOM)}", _UNARY
        if name == "cast":
            inner = self.at(value.arguments[0], _ATOM)
            if value.scalar == "bool":
                return f"({inner} != 0)", _ATOM
            return f"({self.dialect.type(value.scalar)}){inner}", _UNARY
        parts = [self.at(v, _PRODUCT + 1) for v in value.arguments]
        return self.dialect.call(name, parts, value.scalar, value.width), _ATOM

    def _known(self, test: Value) -> bool | None:
        """Return how a test comes out, if ranges tell."""
        if not isinstance(test, Inside):
            return None
        now = Inside(test.of.replaced(self.now), test.low, test.high)
        return True if now.always else False if now.never else None

    def _inside(self, value: Inside) -> tuple[str, int]:
        index = value.of.replaced(self.now)
        text = self._sum(index.terms, index.rest)
        tests = []
        if index.low < value.low:
            tests.append(f"{text} >= {value.low}")
        if index.high >= value.high:
            tests.append(f"{text} < {value.high}" if value.high > 1 else f"{text} == 0")
        return " && ".join(tests) or "1", 2 if len(tests) > 1 else 4

    def _lane(self, value: Lane) -> str:
        place = value.place.replaced(self.now)
        text = self.at(value.of, _ATOM)
        if place.known:
            return self.dialect.lane(text, place.rest)
        number = self._sum(place.terms, place.rest)
        return self.dialect.lane_at(text, number, value.scalar, value.of.width)

    def _constant(self, value: float | bool, scalar: str) -> tuple[str, int]:
        if scalar in ("i32", "bool"):
            number = int(value)
            return str(number), _ATOM if number >= 0 else _UNARY
        end = "f" if scalar == "f32" else ""
        if math.isinf(value):
            return ("INFINITY", _ATOM) if value > 0 else ("-INFINITY", _UNARY)
        if math.isnan(value):
            return "NAN", _ATOM
        text = repr(float(value))
        return text + end, _ATOM if value >= 0 and not text.startswith("-") else _UNARY


def aligned(offset: Index, width: int) -> bool:
    """Return whether an offset is certainly a multiple of `width`."""
    return offset.rest % width == 0 and all(f % width == 0 for _, f in offset.terms)
