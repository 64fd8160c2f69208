"""Drawing configurations from the parts of a space, with and without replacement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from daybreak.errors import SpaceError, nearest
from daybreak.records import Value
from daybreak.space.parts import Part

if TYPE_CHECKING:
    import numpy as np

    from daybreak.space.space import Space

__all__ = ["METHODS", "sample"]

METHODS = ("uniform", "path")

#: While `n` stays below this share of all configurations, drawing again after a repeat is cheap.
_SPARSE = 3
#: Rounds of redrawing without a new configuration after which a continuous space is exhausted.
_ROUNDS = 20


def sample(
    space: Space, n: int, rng: np.random.Generator | int, *, method: str, unique: bool
) -> list[dict[str, Value]]:
    """See `Space.sample`."""
    import numpy as np

    if method not in METHODS:
        raise SpaceError(
            f"unknown sampling method {method!r}",
            expected=" or ".join(METHODS),
            nearest=nearest(str(method), METHODS),
        )
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0:
        raise SpaceError(f"cannot sample {n!r} configurations", expected="a whole number from 0")
    seeded = isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0
    if not seeded and not isinstance(rng, np.random.Generator):
        raise SpaceError(
            f"cannot draw with {rng!r}", expected="a NumPy generator, or a seed from 0 for one"
        )
    generator = np.random.default_rng(rng)
    path = method == "path"
    if n == 0:
        return []
    if not unique:
        return _dicts(space.names, _draw(space.parts, generator, int(n), path=path))
    count = _count(space)
    if count is not None and count <= n * _SPARSE:
        return _from_all(space, generator, min(int(n), count), count, path=path)
    return _by_redrawing(space, generator, int(n), path=path)


def _count(space: Space) -> int | None:
    try:
        return space.count()
    except SpaceError:
        # too large to count, which is large enough to redraw repeats; an empty space has raised
        # while its parts were made
        if not space.parts:
            raise
        return None


def _draw(
    parts: Iterable[Part], rng: np.random.Generator, n: int, *, path: bool
) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for part in parts:
        columns.update(part.draw(rng, n, path=path))
    return columns


def _dicts(names: Sequence[str], columns: Mapping[str, list[Any]]) -> list[dict[str, Value]]:
    # filling copies column by column takes half the time of a `dict(zip(...))` per row
    blank: dict[str, Any] = dict.fromkeys(names)
    rows = [blank.copy() for _ in columns[names[0]]]
    for name in names:
        for row, value in zip(rows, columns[name], strict=True):
            row[name] = value
    return rows


def _from_all(
    space: Space, rng: np.random.Generator, n: int, count: int, *, path: bool
) -> list[dict[str, Value]]:
    """Draw without replacement from a space hardly larger than the draw, by numbering it.

    Path-biased: adding Gumbel noise to the log probabilities and taking the largest is the same
    as drawing one after the other and never again (Efraimidis and Spirakis 2006).
    """
    import numpy as np

    if path:
        weights = np.zeros(1)
        for part in space.parts:
            weights = (weights[:, None] + part.weights()[None, :]).ravel()
        chosen = np.argsort(-(weights + rng.gumbel(size=count)))[:n]
    else:
        chosen = rng.permutation(count)[:n]
    columns: dict[str, list[Any]] = {}
    for part in reversed(space.parts):
        size = part.count() or 1
        chosen, digit = np.divmod(chosen, size)
        columns.update(part.columns(digit.tolist()))
    return _dicts(space.names, columns)


def _by_redrawing(
    space: Space, rng: np.random.Generator, n: int, *, path: bool
) -> list[dict[str, Value]]:
    """Draw without replacement by drawing again for every repeat, in order."""
    found: dict[tuple[Any, ...], None] = {}
    idle = 0
    while len(found) < n:
        before = len(found)
        columns = _draw(space.parts, rng, max(16, n - len(found)), path=path)
        for row in zip(*(columns[name] for name in space.names), strict=True):
            found[row] = None
            if len(found) == n:
                break
        idle = idle + 1 if len(found) == before else 0
        if idle == _ROUNDS:
            # only where nothing but constants, programs and tiny parts are left to draw
            break
    return [dict(zip(space.names, row, strict=True)) for row in found]
