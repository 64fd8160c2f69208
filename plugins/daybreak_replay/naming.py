"""What a file's parameters are called in a search space, whose constraints must be able to spell them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from daybreak import Ordinal, SpaceError

__all__ = ["parameter_names", "renaming"]

#: Letters that do not fall apart into a plain one and its marks.
_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "µ": "u", "æ": "ae"}
)


def parameter_names(names: Sequence[str]) -> dict[str, str]:
    """Return the names by those of a file: unchanged if a parameter can have them, else made so.

    ``block-size x`` becomes ``block_size_x``, ``3d`` ``_3d``, ``and`` ``and_``; a name without any
    letter or digit that can be kept becomes ``p`` and its position. New names differ from all
    others.
    """
    taken = {name for name in names if _good(name)}
    found: dict[str, str] = {}
    for position, name in enumerate(names):
        found[name] = name if name in taken else _unique(_plain(name, position), taken)
        taken.add(found[name])
    return found


def renaming(names: dict[str, str]) -> list[str]:
    """Return the sentence that says which names were changed, if any were."""
    changed = [f"{old!r} is {new}" for old, new in names.items() if old != new]
    if not changed:
        return []
    return [f"Parameters are renamed, so that constraints can name them: {', '.join(changed)}."]


def _good(name: str) -> bool:
    try:
        Ordinal(name, (1,))
    except SpaceError:
        return False
    return True


def _plain(name: str, position: int) -> str:
    text = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    text = re.sub(r"[^A-Za-z0-9_]+", "_", "".join(c for c in text if not unicodedata.combining(c)))
    if not re.search("[A-Za-z0-9]", text):
        return f"p{position}"
    text = text.strip("_") if not name.startswith("_") else text.rstrip("_")
    if text[0].isdigit():
        text = f"_{text}"
    return text if _good(text) else f"{text}_"


def _unique(name: str, taken: set[str]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found
