"""Reads Matrix Market coordinate files, strictly: what is odd is refused with its line.

The format: https://math.nist.gov/MatrixMarket/formats.html. SciPy has a reader too, but takes
truncated and malformed files with other messages from version to version, and without line numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np

from daybreak import UserError, nearest
from daybreak_taco.data.textfile import opened

__all__ = ["read_matrix_market"]

Array: TypeAlias = np.ndarray[Any, Any]

_FIELDS = {"real": 3, "double": 3, "integer": 3, "pattern": 2}
_SYMMETRIES = ("general", "symmetric", "skew-symmetric")


def read_matrix_market(path: Path) -> tuple[Array, Array, tuple[int, int]]:
    """Read a matrix.

    Entries of a pattern count as 1; the missing half of a symmetric matrix is added.

    Returns:
        0-based int64 coordinates (2, nnz), float64 values (nnz,), and the shape.

    Raises:
        UserError: the file cannot be read, is malformed or truncated, empty, dense or complex.
    """
    with opened(path) as lines:
        field, symmetry = _header(lines, path)
        rows, columns, count, line = _sizes(lines, path)
        width = _FIELDS[field]
        table = _table(lines, path, line, width)
    if table.shape[0] != count:
        least = "truncated: it has" if table.shape[0] < count else "too long: it has"
        raise UserError(
            f"this file is {least} {table.shape[0]} entries, its line {line} promises {count}",
            file=path,
            remedy="fetch or copy it again",
        )
    if count == 0 or rows == 0 or columns == 0:
        raise UserError("this matrix is empty", file=path, line=line, expected="at least one entry")
    coordinates = table[:, :2]
    values = np.ones(count) if width == 2 else np.ascontiguousarray(table[:, 2])
    limits = np.array([rows, columns], dtype=float)
    wrong = (
        (coordinates < 1) | (coordinates > limits) | (coordinates != np.floor(coordinates))
    ).any(axis=1)
    wrong |= ~np.isfinite(values)
    if wrong.any():
        _report(path, line, int(np.flatnonzero(wrong)[0]), rows, columns)
    index = coordinates.T.astype(np.int64) - 1
    if symmetry != "general":
        if rows != columns:
            raise UserError(f"a {symmetry} matrix must be square", file=path, line=line)
        off = index[0] != index[1]
        sign = -1.0 if symmetry == "skew-symmetric" else 1.0
        index = np.hstack([index, index[::-1, off]])
        values = np.concatenate([values, sign * values[off]])
    return index, values, (rows, columns)


def _header(lines: IO[str], path: Path) -> tuple[str, str]:
    first = lines.readline()
    words = first.lower().split()
    if len(words) != 5 or words[0] != "%%matrixmarket" or words[1] != "matrix":
        raise UserError(
            "this is no Matrix Market file",
            file=path,
            line=1,
            expected="%%MatrixMarket matrix coordinate real general",
        )
    _, _, layout, field, symmetry = words
    if layout != "coordinate":
        raise UserError(
            f"this matrix is stored as '{layout}'", file=path, line=1, expected="'coordinate'"
        )
    if field not in _FIELDS:
        raise UserError(
            f"the entries are '{field}'",
            file=path,
            line=1,
            expected="real, integer or pattern; kernels compute in double precision",
            nearest=nearest(field, _FIELDS),
        )
    if symmetry not in _SYMMETRIES or (field == "pattern" and symmetry == "skew-symmetric"):
        raise UserError(
            f"the symmetry is '{symmetry}'",
            file=path,
            line=1,
            expected=", ".join(_SYMMETRIES),
            nearest=nearest(symmetry, _SYMMETRIES),
        )
    return field, symmetry


def _sizes(lines: IO[str], path: Path) -> tuple[int, int, int, int]:
    line = 1
    for text in lines:
        line += 1
        if text.startswith("%") or not text.strip():
            continue
        words = text.split()
        if len(words) == 3 and all(word.isdigit() for word in words):
            return int(words[0]), int(words[1]), int(words[2]), line
        raise UserError(
            f"'{text.strip()[:60]}' is no size line",
            file=path,
            line=line,
            expected="three whole numbers: rows, columns, entries",
        )
    raise UserError("this file ends before the size line", file=path, line=line)


def _table(lines: IO[str], path: Path, line: int, width: int) -> Array:
    """Return the remaining lines as numbers, (entries, width)."""
    try:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # no entries: told by the count
            table = np.loadtxt(lines, comments="%", ndmin=2, dtype=np.float64)
    except ValueError:
        table = np.empty((0, 0))
    if table.size == 0:
        _find_malformed(path, line, width)
        return np.empty((0, width))
    if table.shape[1] != width:
        _find_malformed(path, line, width)
    return np.asarray(table)


def _entries(path: Path, after: int) -> Any:
    with opened(path) as lines:
        for number, text in enumerate(lines, start=1):
            stripped = text.partition("%")[0].strip()
            if number > after and stripped:
                yield number, stripped


def _find_malformed(path: Path, after: int, width: int) -> None:
    for number, text in _entries(path, after):
        words = text.split()
        try:
            fine = len([float(word) for word in words]) == width
        except ValueError:
            fine = False
        if not fine:
            what = "row, column and value" if width == 3 else "row and column"
            raise UserError(f"'{text[:60]}' is no entry", file=path, line=number, expected=what)


def _report(path: Path, after: int, entry: int, rows: int, columns: int) -> None:
    for place, (number, text) in enumerate(_entries(path, after)):
        if place == entry:
            raise UserError(
                f"entry '{text[:60]}' is out of range or not finite",
                file=path,
                line=number,
                expected=f"whole numbers 1 to {rows} and 1 to {columns}, and a finite value",
            )
    raise UserError("an entry is out of range or not finite", file=path)
