"""Reading a suite: the file and its includes, merged, spelled out and validated."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from daybreak.errors import SuiteError, nearest
from daybreak.suite.catalogue import find_suite, shipped_suites
from daybreak.suite.faults import Faults, describe, translate
from daybreak.suite.model import FORMATS, Suite
from daybreak.suite.reader import parse_tree, read_text
from daybreak.suite.shape import Shaper
from daybreak.suite.tree import Leaf, ListNode, MapNode, Node, merge

__all__ = ["load_suite", "parse_suite"]

_MOST_FILES = 100


def load_suite(name_or_path: str | Path) -> Suite:
    """Return the suite of that name (shipped) or path, validated.

    Raises:
        SuiteError: it cannot be found or read, or is at fault; with file, line and column. Several
            faults are raised together as `daybreak.suite.SuiteFaultsError`.
    """
    path = find_suite(name_or_path)
    return _validate(read_text(path), path)


def parse_suite(text: str, *, path: Path | None = None) -> Suite:
    """Return the suite in `text`; `path` is where includes are looked for and what messages name.

    Raises:
        SuiteError: as `load_suite`.
    """
    return _validate(text, path)


def _validate(text: str, path: Path | None) -> Suite:
    faults = Faults()
    sources: dict[str, str] = {}
    root = _Includes(sources, faults).tree(text, path)
    faults.raise_any()
    shaper = Shaper(root, faults)
    tree = shaper.shape()
    try:
        suite = Suite.model_validate(tree.plain())
    except ValidationError as error:
        translate(error, tree, faults, model=Suite, skip=frozenset(shaper.broken))
        faults.raise_any()
        raise
    faults.raise_any()
    suite._tree = tree
    suite._path = path
    suite._sources = sources
    suite._warnings = tuple(shaper.warnings)
    return suite


def _check_format(root: MapNode, *, required: bool) -> None:
    """Refuse a suite of another version before anything else is said about it.

    Raises:
        SuiteError: `suite:` is missing where it is required, or names another version.
    """
    reads = " or ".join(str(version) for version in FORMATS)
    entry = root.entries.get("suite")
    if entry is None:
        if not required:
            return
        near = nearest("suite", list(root))
        raise SuiteError(
            "'suite' is missing: the file does not say which format it has",
            file=root.place.mark.file,
            line=root.place.mark.line,
            column=root.place.mark.column,
            expected=f"the line 'suite: {FORMATS[-1]}'"
            + (f" (there is a key '{near}')" if near else ""),
            remedy=f"put 'suite: {FORMATS[-1]}' at the top",
        )
    value = entry.node.value if isinstance(entry.node, Leaf) else entry.node.plain()
    if isinstance(value, int) and not isinstance(value, bool) and value in FORMATS:
        return
    mark = entry.place.mark
    if isinstance(value, int) and not isinstance(value, bool):
        from daybreak import __version__

        newer = value > max(FORMATS)
        raise SuiteError(
            f"the suite has format {value}; Daybreak {__version__} reads format {reads}",
            file=mark.file,
            line=mark.line,
            column=mark.column,
            field="suite",
            expected=f"suite: {reads}",
            remedy="install a newer daybreak" if newer else "write the suite in the newer format",
        )
    raise SuiteError(
        f"wrong type: {describe(value)}",
        file=mark.file,
        line=mark.line,
        column=mark.column,
        field="suite",
        expected=f"the version of the format: {reads}",
    )


class _Includes:
    """Reads a suite's file and, depth first, all that it includes."""

    def __init__(self, sources: dict[str, str], faults: Faults) -> None:
        self._sources = sources
        self._faults = faults
        self._done: dict[Path, MapNode] = {}

    def tree(self, text: str, path: Path | None, stack: tuple[Path, ...] = ()) -> MapNode:
        """Return the tree of `text` laid upon the trees of its includes.

        Raises:
            SuiteError: the file itself is no suite.
        """
        file = str(path) if path is not None else "<text>"
        root = parse_tree(text, file)
        self._sources[file] = text
        _check_format(root, required=not stack)
        if path is not None:
            stack = (*stack, path.resolve())
        node = root.get("include")
        items: tuple[Node, ...] = ()
        if isinstance(node, ListNode):
            items = node.items
        elif node is not None:
            items = (node,)
        merged: MapNode | None = None
        for item in items:
            if not (isinstance(item, Leaf) and isinstance(item.value, str)):
                place = root.entries["include"].place if item is node else item.place
                expected = "a suite's name or file, or a list of them"
                self._faults.wrong_type(item, expected, place)
                continue
            included = self._included(item, item.value, path, stack)
            if included is not None:
                below = merge(merged, included)
                merged = below if isinstance(below, MapNode) else merged
        whole = merge(merged, root.without("include"))
        assert isinstance(whole, MapNode)  # noqa: S101 - both are mappings
        return MapNode(root.place, whole.entries)

    def _included(
        self, item: Leaf, name: str, path: Path | None, stack: tuple[Path, ...]
    ) -> MapNode | None:
        found = self._find(item, name, path)
        if found is None:
            return None
        resolved = found.resolve()
        if resolved in stack:
            chain = [step.name for step in (*stack[stack.index(resolved) :], resolved)]
            self._faults.add(
                item.place, "includes itself: " + " -> ".join(chain), remedy="break the circle"
            )
            return None
        if resolved not in self._done:
            if len(self._done) >= _MOST_FILES:
                self._faults.add(item.place, f"more than {_MOST_FILES} files are included")
                return None
            try:
                self._done[resolved] = self.tree(read_text(found), found, stack)
            except SuiteError as error:
                if error.line is None:
                    # the file cannot be read at all: the fault is in the line that asks for it
                    message = f"'{found}' {error.message}"
                    self._faults.add(item.place, message, expected=error.expected)
                else:
                    self._faults.put(error)
                return None
        return self._done[resolved]

    def _find(self, item: Leaf, name: str, path: Path | None) -> Path | None:
        """Return the file that `name` means beside the including file, or among those shipped."""
        folder = path.parent if path is not None else Path()
        candidate = folder / Path(name).expanduser()
        shipped = shipped_suites()
        try:
            if candidate.is_file():
                return candidate
        except ValueError:  # a null character
            pass
        if name in shipped:
            return shipped[name]
        beside = [file.name for file in folder.glob("*.y*ml")] if folder.is_dir() else []
        self._faults.add(
            item.place,
            f"cannot include '{name}': no such file in '{folder}', no suite of that name",
            nearest=nearest(name, [*beside, *shipped]),
        )
        return None
