"""Sizes: non-negative integers, or normalised arithmetic over named symbols.

A size that is known is a plain `int`; one that is not is a `Nat`, a polynomial over symbols and
over the quotients and remainders that do not divide out. Every operation normalises, so two equal
polynomials are the same object, and one that becomes constant becomes an `int`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

__all__ = ["Nat", "Size", "divide_exactly", "evaluate", "nat", "replace_sizes", "symbols_of"]

# an atom is a symbol's name or ("//" | "%", numerator, denominator); a monomial is a sorted tuple
# of (atom, power); a polynomial a sorted tuple of (monomial, coefficient)
_Atom: TypeAlias = "str | tuple[str, Size, Size]"
_Monomial: TypeAlias = tuple[tuple["_Atom", int], ...]
_Terms: TypeAlias = tuple[tuple["_Monomial", int], ...]


class Nat:
    """A size that is not a known number; made by `nat` and by arithmetic, never directly."""

    __slots__ = ("terms",)
    _interned: dict[_Terms, Nat] = {}  # noqa: RUF012  (one table for the process, on purpose)

    terms: _Terms

    def __new__(cls, terms: _Terms) -> Nat:
        """Return the one object for these normalised terms."""
        found = cls._interned.get(terms)
        if found is None:
            found = cls._interned.setdefault(terms, _make(cls, terms))
        return found

    def __reduce__(self) -> tuple[type[Nat], tuple[_Terms]]:
        return Nat, (self.terms,)

    def __add__(self, other: Size) -> Size:
        return _collect([*self.terms, *_terms(other)])

    __radd__ = __add__

    def __neg__(self) -> Size:
        return _collect([(m, -c) for m, c in self.terms])

    def __sub__(self, other: Size) -> Size:
        return _collect([*self.terms, *((m, -c) for m, c in _terms(other))])

    def __rsub__(self, other: Size) -> Size:
        return _collect([*_terms(other), *((m, -c) for m, c in self.terms)])

    def __mul__(self, other: Size) -> Size:
        return _collect(
            [(_join(a, b), c * d) for a, c in self.terms for b, d in _terms(other)],
        )

    __rmul__ = __mul__

    def __floordiv__(self, other: Size) -> Size:
        return _quotient(self, other)

    def __rfloordiv__(self, other: Size) -> Size:
        return _quotient(other, self)

    def __mod__(self, other: Size) -> Size:
        return _remainder(self, other)

    def __rmod__(self, other: Size) -> Size:
        return _remainder(other, self)

    def __repr__(self) -> str:
        return " + ".join(_show_term(m, c) for m, c in self.terms).replace("+ -", "- ")


Size: TypeAlias = "int | Nat"


def nat(name: str) -> Nat:
    """Return the size called `name`, unknown until `replace_sizes` gives it a number."""
    return Nat(((((name, 1),), 1),))


def symbols_of(size: Size) -> frozenset[str]:
    """Return the names that `size` depends on."""
    if isinstance(size, int):
        return frozenset()
    found: set[str] = set()
    for monomial, _ in size.terms:
        for atom, _power in monomial:
            if isinstance(atom, str):
                found.add(atom)
            else:
                found |= symbols_of(atom[1]) | symbols_of(atom[2])
    return frozenset(found)


def replace_sizes(size: Size, values: Mapping[str, Size]) -> Size:
    """Return `size` with symbols replaced; a symbol that `values` lacks stays."""
    if isinstance(size, int):
        return size
    total: Size = 0
    for monomial, coefficient in size.terms:
        product: Size = coefficient
        for atom, power in monomial:
            factor: Size
            if isinstance(atom, str):
                factor = values.get(atom, nat(atom))
            else:
                top, bottom = replace_sizes(atom[1], values), replace_sizes(atom[2], values)
                factor = top // bottom if atom[0] == "//" else top % bottom
            for _ in range(power):
                product = product * factor
        total = total + product
    return total


def evaluate(size: Size, values: Mapping[str, int] | None = None) -> int:
    """Return `size` as a number.

    Raises:
        ValueError: a symbol has no value.
    """
    found = replace_sizes(size, values or {})
    if isinstance(found, int):
        return found
    raise ValueError(f"the size {found} has no value: {sorted(symbols_of(found))} unknown")


def divide_exactly(size: Size, divisor: Size) -> Size | None:
    """Return `size / divisor` where that is certainly whole, else None.

    Of a polynomial every term must divide; `n / n` counts as whole, since sizes are positive.
    """
    if isinstance(size, int) and isinstance(divisor, int):
        return None if divisor == 0 or size % divisor else size // divisor
    if size == 0:
        return 0
    if size is divisor:
        return 1
    over = _terms(divisor)
    if len(over) != 1:
        return None
    monomial, coefficient = over[0]
    found = []
    for part, factor in _terms(size):
        rest = _without(part, monomial)
        if rest is None or factor % coefficient:
            return None
        found.append((rest, factor // coefficient))
    return _collect(found)


def _make(cls: type[Nat], terms: _Terms) -> Nat:
    made = object.__new__(cls)
    made.terms = terms
    return made


def _terms(size: Size) -> _Terms:
    if isinstance(size, int):
        return (((), size),) if size else ()
    return size.terms


def _collect(terms: list[tuple[_Monomial, int]]) -> Size:
    total: dict[_Monomial, int] = {}
    for monomial, coefficient in terms:
        total[monomial] = total.get(monomial, 0) + coefficient
    kept = {m: c for m, c in total.items() if c}
    if not kept:
        return 0
    if len(kept) == 1 and () in kept:
        return kept[()]
    # highest degree first, constants last; names break ties
    order = sorted(kept, key=lambda m: (-sum(p for _, p in m), [(_show_atom(a), p) for a, p in m]))
    return Nat(tuple((m, kept[m]) for m in order))


def _join(left: _Monomial, right: _Monomial) -> _Monomial:
    powers: dict[_Atom, int] = dict(left)
    for atom, power in right:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(powers.items(), key=lambda item: _show_atom(item[0])))


def _without(monomial: _Monomial, factor: _Monomial) -> _Monomial | None:
    powers = dict(monomial)
    for atom, power in factor:
        left = powers.get(atom, 0) - power
        if left < 0:
            return None
        powers[atom] = left
    return tuple((a, p) for a, p in powers.items() if p)


def _quotient(top: Size, bottom: Size) -> Size:
    if bottom == 1:
        return top
    if bottom == 0:
        raise ZeroDivisionError("a size divided by zero")
    whole = divide_exactly(top, bottom)
    if whole is not None:
        return whole
    return Nat((((((("//", top, bottom), 1),)), 1),))


def _remainder(top: Size, bottom: Size) -> Size:
    if bottom == 1:
        return 0
    if bottom == 0:
        raise ZeroDivisionError("a size divided by zero")
    if divide_exactly(top, bottom) is not None:
        return 0
    return Nat((((((("%", top, bottom), 1),)), 1),))


def _show_atom(atom: _Atom) -> str:
    if isinstance(atom, str):
        return atom
    sign, top, bottom = atom
    return f"{_show(top)} {sign} {_show(bottom)}"


def _show(size: Size) -> str:
    text = str(size)
    return f"({text})" if " " in text else text


def _show_term(monomial: _Monomial, coefficient: int) -> str:
    parts = []
    for atom, power in monomial:
        text = _show_atom(atom)
        text = f"({text})" if " " in text else text
        parts.append(text if power == 1 else f"{text}^{power}")
    if not parts:
        return str(coefficient)
    body = "*".join(parts)
    return (
        body if coefficient == 1 else f"-{body}" if coefficient == -1 else f"{coefficient}*{body}"
    )
