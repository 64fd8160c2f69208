"""From what a user writes to the one shape that the model knows, positions kept.

Shorthand is spelled out (a bare name, a bare threshold), defaults and suite-wide settings are laid
under each benchmark, and `each:` is multiplied out. Faults are noted, and what they spoil is left
out, so that the rest of the file is still checked.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fnmatch import fnmatchcase

from daybreak.errors import nearest
from daybreak.suite.faults import Faults
from daybreak.suite.tree import Entry, Leaf, ListNode, MapNode, Node, merge

__all__ = ["BENCHMARK_KEYS", "OPTIMIZER_KEYS", "TOP_KEYS", "Shaper"]

#: what may stand beside a benchmark's name; no name of a benchmark is among them: it has a "/"
BENCHMARK_KEYS = ("as", "each", "budget", "targets", "protocol", "limits", "price")
#: what may stand beside an optimizer's name; none of them can name an optimizer
OPTIMIZER_KEYS = ("as", "each", "batch", "only", "seeds", "history")
TOP_KEYS = (
    "suite",
    "name",
    "description",
    "include",
    "requires_plugins",
    "defaults",
    "benchmarks",
    "optimizers",
    "seeds",
    "budget",
    "targets",
    "protocol",
    "limits",
    "price",
    "batch",
)
#: suite-wide settings that a benchmark may override
_INHERITED = ("budget", "targets", "protocol", "limits", "price")
_MOST_COMBINATIONS = 10_000

_A_BENCHMARK = "a name such as taco/spmm, or the name with its options: 'taco/spmm: {columns: 64}'"
_AN_OPTIMIZER = "a name such as random, or the name with its options: 'baco: {preset: paper}'"


class Shaper:
    """Spells a suite out. `broken` names the top-level keys whose faults are already noted."""

    def __init__(self, root: MapNode, faults: Faults) -> None:
        self._root = root
        self._faults = faults
        self._defaults: list[tuple[str, Entry]] = []
        self._used: set[str] = set()
        self.broken: set[str] = set()
        self.warnings: list[str] = []

    def shape(self) -> MapNode:
        """Return the tree in the shape of `daybreak.suite.model.Suite`."""
        root = self._root
        self._read_defaults()
        entries: dict[str, Entry] = {}
        for key, entry in root.entries.items():
            if key in {"include", "defaults"} or key.startswith("x-"):
                continue
            if key not in TOP_KEYS:
                self._faults.unknown(entry.place, "key", key, TOP_KEYS)
            elif root.get(key) is not None:
                entries[key] = entry
            elif key in {"suite", "name", "benchmarks", "optimizers"}:
                self._faults.add(entry.place, "is empty")
                self.broken.add(key)
        for key in ("benchmarks", "optimizers"):
            if key in entries:
                entries[key] = Entry(entries[key].place, self._list(key, entries[key]))
        if "targets" in entries:
            node = entries["targets"].node
            entries["targets"] = Entry(entries["targets"].place, _targets(node))
        for pattern, entry in self._defaults:
            if pattern not in self._used and not {"benchmarks", "optimizers"} & self.broken:
                near = nearest(pattern, sorted(self._names))
                hint = f"; did you mean '{near}'?" if near else ""
                mark = entry.place.mark
                self.warnings.append(
                    f"{mark.file}:{mark.line}: defaults for '{pattern}' fit nothing in this suite{hint}"
                )
        return MapNode(root.place, entries)

    def _read_defaults(self) -> None:
        self._names: set[str] = set()
        entry = self._root.entries.get("defaults")
        node = self._root.get("defaults")
        if entry is None or node is None:
            return
        if not isinstance(node, MapNode):
            expected = "a mapping from a name or pattern to options, e.g. 'taco/*: {threads: 2}'"
            self._faults.wrong_type(node, expected, entry.place)
            return
        for pattern, options in node.entries.items():
            if isinstance(options.node, MapNode):
                self._defaults.append((pattern, options))
            elif node.get(pattern) is not None:
                self._faults.wrong_type(options.node, "a mapping of options", options.place)

    def _list(self, key: str, entry: Entry) -> Node:
        """Return `benchmarks` or `optimizers` spelled out and multiplied out."""
        node = entry.node
        expected = _A_BENCHMARK if key == "benchmarks" else _AN_OPTIMIZER
        if not isinstance(node, ListNode):
            self.broken.add(key)
            self._faults.wrong_type(node, f"a list; each item is {expected}", entry.place)
            return node
        if not node.items:
            self.broken.add(key)
            self._faults.add(entry.place, "is empty", expected=f"a list; each item is {expected}")
        items: list[Node] = []
        for item in node.items:
            shaped = list(self._item(item, key == "benchmarks"))
            if not shaped:
                self.broken.add(key)
            items += shaped
            if len(items) > _MOST_COMBINATIONS:
                self.broken.add(key)
                self._faults.add(item.place, f"makes more than {_MOST_COMBINATIONS} entries in all")
                break
        return ListNode(tuple(items), node.place)

    def _item(self, item: Node, benchmark: bool) -> Iterator[MapNode]:
        """Yield the entries that one item of the list stands for; none if it is at fault."""
        keys = BENCHMARK_KEYS if benchmark else OPTIMIZER_KEYS
        if isinstance(item, Leaf) and isinstance(item.value, str):
            item = MapNode(item.place, {item.value: Entry(item.place, Leaf(None, item.place))})
        if not isinstance(item, MapNode):
            self._faults.wrong_type(item, _A_BENCHMARK if benchmark else _AN_OPTIMIZER)
            return
        name = self._name(item, keys, benchmark)
        if name is None:
            return
        self._names.add(name)
        place = item.entries[name].place
        options = item.get(name)
        if options is None:
            options = MapNode(place)
        if not isinstance(options, MapNode):
            self._faults.wrong_type(options, "a mapping of options", place)
            return
        below: Node | None = None
        for pattern, default in self._defaults:
            # a pattern for benchmarks has a "/", as their names have
            if ("/" in pattern) == benchmark and fnmatchcase(name, pattern):
                self._used.add(pattern)
                below = merge(below, default.node)
        shared = {
            "name": Entry(place, Leaf(name, place)),
            **self._settings(item, benchmark),
        }
        if benchmark and "budget" not in shared:
            if "budget" not in self.broken:
                expected = "a bound on every study, e.g. 'budget: {evaluations: 20}'"
                self._faults.add(self._root.place, "'budget' is missing", expected=expected)
            # stands in, so that validation speaks of the other faults only
            stand_in = MapNode(place, {"evaluations": Entry(place, Leaf(1, place))})
            shared["budget"] = Entry(place, stand_in)
        for combination in self._combinations(item):
            merged = merge(merge(below, options), combination)
            assert merged is not None  # noqa: S101 - `options` is a node
            yield MapNode(item.place, {**shared, "options": Entry(place, merged)})

    def _name(self, item: MapNode, keys: tuple[str, ...], benchmark: bool) -> str | None:
        """Return the key of `item` that is the name, or None when that is not plain."""
        if benchmark:
            names = [key for key in item if "/" in key]
            if not names and len(item.entries) == 1 and not set(item) & set(keys):
                names = list(item)  # the model says what a full name looks like
        else:
            names = [key for key in item if key not in keys]
        what = "benchmark" if benchmark else "optimizer"
        if not names:
            expected = _A_BENCHMARK if benchmark else _AN_OPTIMIZER
            self._faults.add(item.place, f"names no {what}", expected=expected)
            return None
        name, *rest = names
        strangers = rest + [key for key in item if key not in keys and key not in names]
        for key in strangers:
            place = item.entries[key].place
            if benchmark and "/" in key:
                message = f"a second {what} in one item: '{key}'"
                self._faults.add(place, message, remedy="begin a new item with '- '")
                continue
            self._faults.unknown(
                place,
                f"key beside {what} '{name}':",
                key,
                keys,
                remedy=f"indent it deeper than '{name}:' if it is an option, "
                f"or begin a new item with '- ' if it is another {what}",
            )
        return None if strangers else name

    def _settings(self, item: MapNode, benchmark: bool) -> dict[str, Entry]:
        """Return what stands beside the name, laid upon what holds for the whole suite."""
        found: dict[str, Entry] = {}
        if item.get("as") is not None:
            found["label"] = item.entries["as"]
        if not benchmark:
            for key in ("batch", "only", "seeds"):
                entry = item.entries.get(key)
                if entry is not None and item.get(key) is not None:
                    found[key] = entry
                elif key == "batch" and self._root.get("batch") is not None:
                    found[key] = self._root.entries["batch"]
            if "only" in found:
                found["only"] = _listed(found["only"])
            history = item.entries.get("history")
            if history is not None and item.get("history") is not None:
                found |= _history(history)
            return found
        for key in _INHERITED:
            suite_wide, own = self._root.get(key), item.get(key)
            if key == "price" and key in item and own is None:
                continue  # taken back: this benchmark costs nothing that anybody counts
            node = merge(suite_wide, own)
            if node is None:
                continue
            place = (item if own is not None else self._root).entries[key].place
            found[key] = Entry(place, _targets(node) if key == "targets" else node)
        return found

    def _combinations(self, item: MapNode) -> Iterator[MapNode | None]:
        """Yield the options that each combination of ``each:`` sets; one None without ``each``."""
        entry, node = item.entries.get("each"), item.get("each")
        if entry is None or node is None:
            yield None
            return
        if not isinstance(node, MapNode) or not node.entries:
            expected = "a mapping from an option to a list of its values"
            self._faults.wrong_type(node, expected, entry.place)
            return
        lists: list[list[Node]] = []
        count = 1
        for key, values in node.entries.items():
            if not isinstance(values.node, ListNode):
                expected = f"a list of values for '{key}'"
                self._faults.wrong_type(values.node, expected, values.place)
            elif not values.node.items:
                message = f"the matrix is empty: '{key}' has no values"
                self._faults.add(values.place, message, expected="at least one value")
            else:
                lists.append(list(values.node.items))
                count *= len(values.node.items)
        if len(lists) < len(node.entries):
            return
        if count > _MOST_COMBINATIONS:
            message = f"the matrix has {count} combinations"
            self._faults.add(entry.place, message, expected=f"at most {_MOST_COMBINATIONS}")
            return
        for combination in itertools.product(*lists):
            chosen = zip(node.entries, combination, strict=True)
            yield MapNode(node.place, {key: Entry(value.place, value) for key, value in chosen})


def _listed(entry: Entry) -> Entry:
    """Spell out a list of one."""
    if not isinstance(entry.node, Leaf):
        return entry
    return Entry(entry.place, ListNode((entry.node,), entry.node.place))


def _history(entry: Entry) -> dict[str, Entry]:
    """Spell out ``history: true`` and single patterns; nothing for ``history: false``."""
    node = entry.node
    if isinstance(node, Leaf) and node.value is False:
        return {}
    if isinstance(node, Leaf) and node.value is True:
        node = MapNode(entry.place)
    if isinstance(node, MapNode):
        patterns = ("benchmarks", "optimizers", "runs")
        spelled = {k: _listed(e) if k in patterns else e for k, e in node.entries.items()}
        node = MapNode(node.place, spelled)
    return {"history": Entry(entry.place, node)}


def _targets(node: Node) -> Node:
    """Spell thresholds out: ``expert: 1.0`` is relative to the reference ``expert``; null: none."""
    if not isinstance(node, MapNode):
        return node
    entries: dict[str, Entry] = {}
    for name, entry in node.entries.items():
        value = entry.node
        if isinstance(value, Leaf) and value.value is None:
            continue
        if not isinstance(value, MapNode):
            relative = Entry(entry.place, Leaf(name, entry.place))
            value = MapNode(entry.place, {"value": entry, "relative_to": relative})
        entries[name] = Entry(entry.place, value)
    return MapNode(node.place, entries)
