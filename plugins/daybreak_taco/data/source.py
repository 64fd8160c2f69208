"""Where data comes from, as a suite spells it: ``pyamg:airfoil``, ``generate:fem(rows=1e4)``, a path.

Nothing is loaded or evaluated here; generator calls are taken apart by hand and checked against
the generator's declared arguments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from daybreak import UserError, nearest
from daybreak_taco.data.declared import MATRICES, TENSORS, Argument, Generator

__all__ = ["PYAMG", "Source", "parse_source", "short_name"]

#: matrices of finite-element and other discretisations that pyamg ships: rows, stored entries
PYAMG = {
    "airfoil": (260, 1682),
    "bar": (600, 23402),
    "helmholtz_2D": (2880, 52016),
    "knot": (239, 1667),
    "local_disc_galerkin_diffusion": (966, 35338),
    "recirc_flow": (225, 1849),
    "unit_cube": (125, 1473),
    "unit_square": (191, 1243),
}

_CALL = re.compile(r"^([\w-]+)\s*(?:\((.*)\))?$", re.DOTALL)
_COLLECTIONS = ("suitesparse", "frostt")
_SCHEMES = (*_COLLECTIONS, "pyamg", "generate")
_SUFFIXES = {False: (".mtx", ".mtx.gz"), True: (".tns", ".tns.gz")}

Given = int | float | tuple[int, ...]


@dataclass(frozen=True)
class Source:
    """A parsed source.

    Attributes:
        kind: `file`, `suitesparse`, `frostt`, `pyamg` or `generate`.
        name: path, or name of the matrix, tensor or generator.
        given: the arguments that were written, in the generator's order; complete in `arguments`.
    """

    kind: str
    name: str
    given: Mapping[str, Given] = field(default_factory=dict)
    arguments: Mapping[str, Given] = field(default_factory=dict)


def parse_source(text: str, *, tensor: bool) -> Source:
    """Take apart the spelling of a data source.

    Args:
        text: the spelling.
        tensor: whether a tensor is wanted, else a matrix.

    Raises:
        UserError: it is no such spelling, or names something unknown.
    """
    kind, colon, rest = text.partition(":")
    what = "tensor" if tensor else "matrix"
    if not colon or kind not in _SCHEMES:
        if text.lower().endswith(_SUFFIXES[tensor]):
            return Source("file", text)
        raise UserError(
            f"'{text}' names no {what}",
            expected=f"a file ending in {' or '.join(_SUFFIXES[tensor])}, or one of "
            + ", ".join(f"{scheme}:..." for scheme in _SCHEMES),
            nearest=nearest(kind, _SCHEMES) if colon else None,
        )
    if kind == "generate":
        return _generated(rest.strip(), tensor)
    if kind == "pyamg":
        if tensor or rest not in PYAMG:
            raise UserError(
                f"pyamg ships no {what} '{rest}'",
                expected="one of " + ", ".join(PYAMG) if not tensor else "a matrix is no tensor",
                nearest=None if tensor else nearest(rest, PYAMG),
            )
        return Source(kind, rest)
    if (kind == "frostt") is not tensor or not re.fullmatch(r"\w[\w.+-]*(/\w[\w.+-]*)?", rest):
        raise UserError(f"'{text}' names no {what}", expected=f"e.g. {_example(tensor)}")
    return Source(kind, rest)


def _example(tensor: bool) -> str:
    return "frostt:uber" if tensor else "suitesparse:cage12"


def _generated(call: str, tensor: bool) -> Source:
    generators = TENSORS if tensor else MATRICES
    found = _CALL.match(call)
    if found is None:
        raise UserError(
            f"'generate:{call}' is no generator call", expected="generate:NAME(key=value, ...)"
        )
    name, inside = found.group(1), found.group(2) or ""
    generator = generators.get(name)
    if generator is None:
        raise UserError(
            f"there is no generator '{name}'",
            expected="one of " + ", ".join(generators),
            nearest=nearest(name, generators),
        )
    given: dict[str, Given] = {}
    for piece in filter(None, (part.strip() for part in inside.split(","))):
        key, equals, value = (word.strip() for word in piece.partition("="))
        argument = generator.arguments.get(key)
        if not equals or argument is None:
            raise UserError(
                f"generator '{name}' has no argument '{key}'"
                if equals
                else f"'{piece}' is no key=value",
                expected=", ".join(generator.arguments),
                nearest=nearest(key, generator.arguments),
            )
        if key in given:
            raise UserError(f"argument '{key}' of generator '{name}' is given twice")
        given[key] = _value(name, key, value, argument)
    arguments = {key: given.get(key, a.default) for key, a in generator.arguments.items()}
    _check_sizes(name, generator, arguments)
    return Source(
        "generate", name, {k: given[k] for k in generator.arguments if k in given}, arguments
    )


def _value(name: str, key: str, text: str, argument: Argument) -> Given:
    if argument.dims:
        sizes = text.split("x")
        if len(sizes) in argument.dims and all(s.isdigit() and int(s) >= 1 for s in sizes):
            return tuple(int(size) for size in sizes)
        ways = " or ".join(map(str, argument.dims))
        raise UserError(
            f"argument '{key}' of generator '{name}' is '{text}'",
            expected=f"{ways} sizes like 1000x500x20",
        )
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    whole = not argument.fraction
    if not argument.low <= number <= argument.high or (whole and number != int(number)):
        raise UserError(
            f"argument '{key}' of generator '{name}' is '{text}'",
            expected=f"a{' whole' if whole else ''} number from {argument.low:g} to {argument.high:g}",
        )
    return int(number) if whole else number


def _check_sizes(name: str, generator: Generator, arguments: Mapping[str, Given]) -> None:
    problem = generator.check(arguments)
    if problem:
        raise UserError(f"generator '{name}': {problem}")


def short_name(text: str, *, tensor: bool) -> str:
    """Return a short label of a source, as in ``power-law-n20k-s1``: letters, digits, ``._-``."""
    source = parse_source(text, tensor=tensor)
    if source.kind == "file":
        stem = Path(source.name).name
        for suffix in (".gz", ".mtx", ".tns"):
            stem = stem.removesuffix(suffix)
        return re.sub(r"[^\w.-]+", "-", stem)
    if source.kind != "generate":
        prefix = "" if source.kind == "suitesparse" else f"{source.kind}-"
        return re.sub(r"[^\w.-]+", "-", prefix + source.name)
    declared = (TENSORS if tensor else MATRICES)[source.name].arguments
    return "-".join(
        [
            source.name,
            *(declared[key].letter + _short(value) for key, value in source.given.items()),
        ]
    )


def _short(value: Given) -> str:
    """Return 1400000 as ``1.4M``, 20000 as ``20k``, and what is not round as it is."""
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    if isinstance(value, int):
        for unit, letter in ((10**6, "M"), (10**3, "k")):
            if value >= unit and value % (unit // 10) == 0:
                return f"{value / unit:g}{letter}"
    return f"{value:g}"
