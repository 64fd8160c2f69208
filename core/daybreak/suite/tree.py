"""A tree of plain values that remembers where each key and value was written.

YAML files become such trees (`daybreak.suite.reader`), includes and defaults are merged as trees
(`merge`), and every fault found later is looked up here for its file, line and column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

__all__ = ["Entry", "Leaf", "ListNode", "MapNode", "Mark", "Node", "Place", "locate", "merge"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A position in a file; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Place:
    """A position and the dotted path of the field there, as the user wrote it."""

    mark: Mark
    field: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar: text, number, truth value or nothing."""

    value: str | int | float | bool | None
    place: Place

    def plain(self) -> Any:
        """Return the value."""
        return self.value


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    items: tuple[Node, ...]
    place: Place

    def plain(self) -> Any:
        """Return the values as a list."""
        return [item.plain() for item in self.items]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping: where the key stands, and its value."""

    place: Place
    node: Node


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping, in the order it was written."""

    place: Place
    entries: dict[str, Entry] = field(default_factory=dict)

    def plain(self) -> Any:
        """Return the values as a dict."""
        return {key: entry.node.plain() for key, entry in self.entries.items()}

    def __contains__(self, key: object) -> bool:
        return key in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def get(self, key: str) -> Node | None:
        """Return the value at `key`, or None; an explicit null counts as absent."""
        entry = self.entries.get(key)
        if entry is None or (isinstance(entry.node, Leaf) and entry.node.value is None):
            return None
        return entry.node

    def without(self, *keys: str) -> MapNode:
        """Return a copy that lacks `keys`."""
        return replace(self, entries={k: e for k, e in self.entries.items() if k not in keys})


Node: TypeAlias = Leaf | ListNode | MapNode


def merge(base: Node | None, over: Node | None) -> Node | None:
    """Return `over` laid upon `base`: mappings merge key by key, anything else is replaced.

    A null in `over` replaces too, so that a bound that was inherited can be taken back.
    """
    if over is None:
        return base
    if not (isinstance(base, MapNode) and isinstance(over, MapNode)):
        return over
    entries = dict(base.entries)
    for key, entry in over.entries.items():
        below = entries.get(key)
        merged = merge(below.node if below is not None else None, entry.node)
        assert merged is not None  # noqa: S101 - `entry.node` is a node
        entries[key] = Entry(entry.place, merged)
    return MapNode(over.place, entries)


def locate(root: Node, path: Sequence[int | str]) -> tuple[Place, Node]:
    """Return where `path` leads from `root`: the place of its last key or item, and the value.

    Parts of the path that the tree lacks are passed over: a validator adds names of union members,
    and a missing key has no place but its mapping's.
    """
    node = root
    place = root.place
    for part in path:
        if isinstance(node, MapNode) and part in node.entries:
            entry = node.entries[str(part)]
            place, node = entry.place, entry.node
        elif isinstance(node, ListNode) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            place = node.place
    return place, node
