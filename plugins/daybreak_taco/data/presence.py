"""Whether a data source is there, without opening it: so that a suite is refused before it runs."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from daybreak import RequirementError, UserError, nearest
from daybreak_taco.data.source import parse_source

__all__ = ["check_present"]

#: names of a folder that are looked at for the nearest
_LOOKED_AT = 5000


def check_present(text: str, *, tensor: bool) -> None:
    """Refuse a source whose file does not exist, or that is not in the cache.

    Its contents are not read, and nothing is asked of a network. Generators and the matrices of
    pyamg are always taken to be there.

    Args:
        text: the source as the option `matrix` or `tensor` spells it, which the error names.
        tensor: whether a tensor is wanted, else a matrix.

    Raises:
        UserError: the spelling is wrong, or there is no such file; names the nearest.
        RequirementError: it has not been fetched; names the command.
    """
    field = "tensor" if tensor else "matrix"
    source = parse_source(text, tensor=tensor)
    if source.kind == "file":
        _check_file(Path(source.name).expanduser(), field, tensor=tensor)
    elif source.kind in ("suitesparse", "frostt"):
        _check_cached(source.kind, source.name, field)


def _check_file(path: Path, field: str, *, tensor: bool) -> None:
    if path.is_file():
        return
    if path.exists():
        raise UserError(
            f"'{path}' is no file", field=field, expected=f"a file that holds a {field}"
        )
    if not path.parent.is_dir():
        raise UserError(
            f"there is no folder '{path.parent}'",
            field=field,
            expected=f"the {field}'s file; a relative path begins at {Path.cwd()}",
        )
    near = nearest(path.name, _names(path.parent, tensor=tensor))
    raise UserError(
        f"there is no file '{path}'",
        field=field,
        expected=None if path.is_absolute() else f"a path that begins at {Path.cwd()}",
        nearest=None if near is None else str(path.with_name(near)),
    )


def _names(folder: Path, *, tensor: bool) -> list[str]:
    suffixes = (".tns", ".tns.gz") if tensor else (".mtx", ".mtx.gz")
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in itertools.islice(entries, _LOOKED_AT)]
    except OSError:
        return []
    return [name for name in names if name.lower().endswith(suffixes)]


def _check_cached(collection: str, name: str, field: str) -> None:
    from daybreak_taco.data.fetching import cached, url_of

    try:
        cached(collection, name)
    except RequirementError as missing:
        try:
            url_of(collection, name)
        except UserError as unknown:
            # Fetching would fail, too; most likely the name is misspelt.
            raise UserError(
                unknown.message,
                field=field,
                expected=unknown.expected,
                nearest=unknown.nearest and f"{collection}:{unknown.nearest}",
                remedy=unknown.remedy,
            ) from None
        raise RequirementError(
            missing.message, field=field, expected=missing.expected, remedy=missing.remedy
        ) from None
