"""A constraint that lists the feasible combinations of some parameters one by one.

Recorded tables often come without the conditions that made them: what was measured is all that is
known of what is feasible. A tree over listed rows is as quick as one over expressions: its leaves
are the rows themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from daybreak.errors import SpaceError, nearest
from daybreak.space.constraint import Constraint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from daybreak.space.parameters import Parameter

__all__ = ["Rows"]

#: Most cells that are written out readably; larger lists are packed.
_READABLE = 512
#: Most cells that a packed description may hold: more is no honest description.
_MOST_CELLS = 1 << 28


class Rows(Constraint):
    """The combinations of some parameters that are feasible.

    Attributes:
        names: the parameters, in order of their columns.
        domains: for every name the distinct values that occur, in one order for equal content.
        codes: index table into `domains`, shape (rows, names), rows distinct and sorted.

    It has no `tree`, and `text` only describes it.
    """

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Take a column of values for every name; equal rows count once.

        Args:
            columns: one or more columns of one length of at least 1: numbers, texts, truth values
                or orders (tuples of whole numbers).

        Raises:
            SpaceError: no columns or rows, columns of different lengths, or a value that no
                parameter can have.
        """
        import numpy as np

        if not columns:
            raise SpaceError("listed rows need at least one column")
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise SpaceError(f"the columns of listed rows have different lengths: {lengths}")
        if not next(iter(lengths.values())):
            raise SpaceError("no rows are listed", expected="at least one feasible combination")
        factors = [_factor(name, column) for name, column in columns.items()]
        codes = np.column_stack([code for _, code in factors])
        domains = tuple(tuple(domain) for domain, _ in factors)
        self._take(tuple(columns), domains, _distinct(codes, [len(d) for d in domains]))

    def _take(
        self,
        names: tuple[str, ...],
        domains: tuple[tuple[Any, ...], ...],
        codes: NDArray[np.unsignedinteger[Any]],
    ) -> None:
        self.names = names
        self.domains = domains
        self.codes = codes
        self.subject = None
        self.text = f"({', '.join(names)}) is one of {len(codes):,} listed rows"

    def __len__(self) -> int:
        return len(self.codes)

    def columns(self) -> dict[str, list[Any]]:
        """Return the rows as a list of values per name."""
        return {
            name: [domain[code] for code in self.codes[:, i].tolist()]
            for i, (name, domain) in enumerate(zip(self.names, self.domains, strict=True))
        }

    # -- what a constraint does -----------------------------------------------------------------

    def check(self, parameters: Mapping[str, Parameter], *, clipped: bool = False) -> None:
        """Check names and values against the parameters; see `Constraint.check`."""
        from daybreak.space.building import MAX_VALUES

        for name, domain in zip(self.names, self.domains, strict=True):
            parameter = parameters.get(name)
            if parameter is None:
                raise SpaceError(
                    f"the listed rows have a column '{name}', but there is no such parameter",
                    expected="one of " + ", ".join(parameters),
                    nearest=nearest(name, parameters),
                )
            size = parameter.size
            if size is None or (size > MAX_VALUES and parameter.type == "integer"):
                raise SpaceError(
                    f"the listed rows have a column for the {parameter.type} parameter '{name}'",
                    expected="ordinal, categorical or permutation parameters, or integers with "
                    f"at most {MAX_VALUES:,} values",
                    remedy=f"make '{name}' an ordinal parameter",
                )
            if clipped:
                continue
            for value in domain:
                try:
                    parameter.normalise(value)
                except SpaceError as error:
                    raise SpaceError(
                        f"the listed rows hold the value {value!r}, which '{name}' cannot take",
                        field=name,
                        expected=error.expected,
                        nearest=error.nearest,
                    ) from error

    @cached_property
    def test(self) -> Callable[[Mapping[str, Any]], bool]:
        """Say of a normalised configuration whether its values form a row."""
        members = self._members
        pick = itemgetter(*self.names)
        return lambda configuration: pick(configuration) in members

    @cached_property
    def _members(self) -> frozenset[Any]:
        columns = list(self.columns().values())
        return frozenset(columns[0] if len(columns) == 1 else zip(*columns, strict=True))

    def holds_for(self, columns: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.bool_]:
        """Say it for `rows` candidates at once; a column of orders has shape (rows, length)."""
        import numpy as np

        members = self._members
        lists: list[list[Any]] = []
        for name in self.names:
            column = columns[name]
            values = column.tolist()
            lists.append(values if column.ndim == 1 else [tuple(order) for order in values])
        keys: Iterable[Any] = lists[0] if len(lists) == 1 else zip(*lists, strict=True)
        return np.fromiter((key in members for key in keys), dtype=np.bool_, count=rows)

    def indices(
        self, lists: Mapping[str, Sequence[Any]], parameters: Mapping[str, Parameter]
    ) -> dict[str, NDArray[np.intp]]:
        """Return the rows as indices into the parameters' own lists of values.

        Rows with a value that its parameter does not have (any more) are left out.
        """
        import numpy as np

        found: dict[str, NDArray[np.intp]] = {}
        kept = np.ones(len(self.codes), dtype=np.bool_)
        for i, (name, domain) in enumerate(zip(self.names, self.domains, strict=True)):
            table = {value: at for at, value in enumerate(lists[name])}
            parameter = parameters[name]
            places = np.array(
                [table[parameter.normalise(v)] if parameter.contains(v) else -1 for v in domain],
                dtype=np.intp,
            )
            found[name] = places[self.codes[:, i]]
            kept &= found[name] >= 0
        return found if kept.all() else {name: at[kept] for name, at in found.items()}

    # -- exchange -------------------------------------------------------------------------------

    def canonical(self) -> str:
        """Return a text that is equal for equal rows, however they were given."""
        import hashlib
        import json

        hashed = hashlib.sha256()
        domains = [[_plain(value) for value in domain] for domain in self.domains]
        hashed.update(json.dumps([self.names, domains], separators=(",", ":")).encode())
        hashed.update(self.codes.astype("<u4").tobytes())
        return f"rows:{hashed.hexdigest()}"

    def describe(self) -> dict[str, Any]:
        """Return a JSON-able description that `from_dict` reads.

        `rows` lists a few rows as they are; many are packed: `domains` lists each column's values,
        and `packed` is the base64 of the deflated indices into them, column after column, as
        unsigned little-endian integers of `bytes` bytes.
        """
        import base64
        import zlib

        if self.codes.size <= _READABLE:
            columns = self.columns().values()
            rows = [[_plain(value) for value in row] for row in zip(*columns, strict=True)]
            return {"names": list(self.names), "rows": rows}
        width = self.codes.dtype.itemsize
        packed = zlib.compress(self.codes.T.astype(f"<u{width}").tobytes(), 9)
        return {
            "names": list(self.names),
            "domains": [[_plain(value) for value in domain] for domain in self.domains],
            "count": len(self.codes),
            "bytes": width,
            "packed": base64.b64encode(packed).decode("ascii"),
        }

    @classmethod
    def from_dict(cls, described: Mapping[str, Any]) -> Rows:
        """Make the rows that `describe` described.

        Raises:
            SpaceError: this describes no rows.
        """
        names = described.get("names")
        if not isinstance(names, Sequence) or isinstance(names, str):
            raise SpaceError(
                "this describes no listed rows",
                expected="`names: [a, b]` and `rows: [[1, 2], [1, 4]]`",
            )
        names = [str(name) for name in names]
        if "packed" in described:
            return _unpack(names, described)
        rows = described.get("rows")
        if not isinstance(rows, Sequence) or isinstance(rows, str):
            raise SpaceError("`rows` must be a list of rows", field="rows")
        for number, row in enumerate(rows):
            if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != len(names):
                raise SpaceError(
                    f"row {number} has not one value for each of {', '.join(names)}: {row!r}",
                    field=f"rows[{number}]",
                )
        return cls(dict(zip(names, map(list, zip(*rows, strict=True)), strict=False)) if rows else
                   {name: [] for name in names})  # fmt: skip

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rows):
            return NotImplemented
        return self.canonical() == other.canonical()

    def __hash__(self) -> int:
        return hash((self.names, len(self.codes)))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.names, self.domains, self.codes)

    def __repr__(self) -> str:
        return f"Rows({self.text!r})"


def _rebuild(
    names: tuple[str, ...],
    domains: tuple[tuple[Any, ...], ...],
    codes: NDArray[np.unsignedinteger[Any]],
) -> Rows:
    rows = Rows.__new__(Rows)
    rows._take(names, domains, codes)
    return rows


def _unpack(names: list[str], described: Mapping[str, Any]) -> Rows:
    import base64
    import binascii
    import zlib

    import numpy as np

    try:
        width, count = int(described["bytes"]), int(described["count"])
        domains = [[_value(v) for v in domain] for domain in described["domains"]]
        cells = count * len(names)
        if width not in (1, 2, 4, 8) or not 0 < cells <= _MOST_CELLS or len(domains) != len(names):
            raise ValueError("sizes that do not fit together")
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(described["packed"]), cells * width + 1)
        codes = np.frombuffer(data, dtype=f"<u{width}").reshape(len(names), count)
        columns = {
            name: [domain[code] for code in codes[i].tolist()]
            for i, (name, domain) in enumerate(zip(names, domains, strict=True))
        }
    except (KeyError, TypeError, ValueError, IndexError, zlib.error, binascii.Error) as error:
        raise SpaceError(f"packed rows cannot be read: {error}", field="packed") from error
    return Rows(columns)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _factor(name: str, column: Sequence[Any]) -> tuple[list[Any], NDArray[np.intp]]:
    """Return a column's distinct values, sorted, and every entry's index into them."""
    import numpy as np

    if set(map(type, column)) == {int} and max(column) < 2**62 and min(column) > -(2**62):
        # the usual case, a hundred times quicker
        distinct, codes = np.unique(np.array(column, dtype=np.int64), return_inverse=True)
        return distinct.tolist(), codes.astype(np.intp).ravel()
    keys = [(_kind(name, value), value) for value in map(_value, column)]
    ordered = sorted(set(keys))
    table = {key: i for i, key in enumerate(ordered)}
    places = np.fromiter((table[key] for key in keys), dtype=np.intp, count=len(keys))
    return [value for _, value in ordered], places


def _kind(name: str, value: Any) -> int:
    """Sort truth values before numbers before texts before orders, and keep 1 and True apart."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int | float) and value == value and abs(value) != float("inf"):
        return 1
    if isinstance(value, str):
        return 2
    if isinstance(value, tuple) and all(type(element) is int for element in value):
        return 3
    raise SpaceError(
        f"the listed rows hold {value!r}",
        field=name,
        expected="finite numbers, texts, truth values or orders",
    )


def _distinct(codes: NDArray[np.intp], sizes: list[int]) -> NDArray[np.unsignedinteger[Any]]:
    """Return the distinct rows, sorted lexicographically, in a small unsigned type."""
    import math

    import numpy as np

    small: Any = np.min_scalar_type(max(sizes))
    if math.prod(sizes) < 2**62:
        key = np.ravel_multi_index(tuple(codes.T), sizes)
        return np.column_stack(np.unravel_index(np.unique(key), sizes)).astype(small)
    return np.unique(codes, axis=0).astype(small)
