"""From a YAML file to a tree with positions.

Scalars are read by YAML 1.2's core schema (`no`, `on` and `12:30` are text, `1e6` is a number);
anchors, aliases and merge keys work; a key that appears twice is a fault, tags are refused.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from daybreak.errors import SuiteError
from daybreak.suite.tree import Entry, Leaf, ListNode, MapNode, Mark, Node, Place

__all__ = ["parse_tree", "read_text"]

#: a suite is written by hand: a file beyond this is something else
_LARGEST_FILE = 4 * 1024 * 1024
#: aliases may multiply a small file into a huge tree
_LARGEST_TREE = 200_000

_TAG = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _kind, _pattern, _first in (
    ("null", re.compile(r"~|null|Null|NULL|"), "~nN\0"),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE"), "tTfF"),
    ("int", _INT, "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
    ("float", _INFINITE, "-+."),
    ("merge", re.compile("<<"), "<"),
):
    _whole = re.compile(rf"(?:{_pattern.pattern})\Z")
    _Loader.add_implicit_resolver(_TAG + _kind, _whole, [c if c != "\0" else "" for c in _first])


def read_text(path: Path) -> str:
    """Return the text of a suite file.

    Raises:
        SuiteError: it is not there, is no regular file, cannot be read, is too large, or is not
            UTF-8.
    """
    try:
        if path.is_dir():
            raise SuiteError(
                "is a folder",
                file=path,
                expected="a suite file (.yaml)",
                remedy="name a file in it",
            )
        if path.exists() and not path.is_file():
            raise SuiteError("is no regular file", file=path, expected="a suite file (.yaml)")
        if path.stat().st_size > _LARGEST_FILE:
            raise SuiteError(
                f"is too large for a suite ({path.stat().st_size} bytes)",
                file=path,
                expected=f"a suite file of at most {_LARGEST_FILE} bytes",
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise SuiteError("no such file", file=path) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SuiteError(f"cannot be read: {reason}", file=path) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before) - (before.rfind(b"\n") + 1) + 1
        raise SuiteError(
            f"is not UTF-8 text: byte 0x{data[error.start]:02x}",
            file=path,
            line=line,
            column=column,
            expected="a text file in UTF-8",
            remedy="save the file with the encoding UTF-8",
        ) from None


def parse_tree(text: str, file: str) -> MapNode:
    """Return the tree of a suite's text; `file` is what messages call it.

    Raises:
        SuiteError: not YAML, empty, not a mapping, a key twice, or nested beyond reason.
    """
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
        if root is None:
            raise SuiteError(
                "is empty",
                file=file,
                line=1,
                column=1,
                expected="a suite, which begins with 'suite: 1'",
            )
        tree = _Reader(file).node(root, "")
    except yaml.reader.ReaderError as error:
        raise _reader_fault(error, text, file) from None
    except yaml.MarkedYAMLError as error:
        raise _syntax_fault(error, text, file) from None
    except RecursionError:
        raise SuiteError(
            "is nested too deeply", file=file, line=1, column=1, expected="a suite file"
        ) from None
    if not isinstance(tree, MapNode):
        kind = "a list" if isinstance(tree, ListNode) else "a single value"
        raise SuiteError(
            f"holds {kind}",
            file=file,
            line=tree.place.mark.line,
            column=tree.place.mark.column,
            expected="a mapping (key: value) that begins with 'suite: 1'",
        )
    return tree


def _reader_fault(error: yaml.reader.ReaderError, text: str, file: str) -> SuiteError:
    before = text[: error.position]
    code = ord(text[error.position]) if error.position < len(text) else 0
    return SuiteError(
        f"holds the control character U+{code:04X}",
        file=file,
        line=before.count("\n") + 1,
        column=len(before) - (before.rfind("\n") + 1) + 1,
        expected="printable text",
        remedy="remove the character",
    )


def _syntax_fault(error: yaml.MarkedYAMLError, text: str, file: str) -> SuiteError:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    message = f"is not valid YAML: {error.problem or error.context}"
    expected = remedy = None
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    if "\t" in written[: len(written) - len(written.lstrip())] or "'\\t'" in message:
        message = "is not valid YAML: a tab indents this line"
        remedy = "indent with spaces"
    elif "single document" in (error.context or ""):
        message = "holds more than one YAML document"
        expected = "one suite in a file"
        remedy = "split the file at '---'"
    elif error.context and error.context_mark is not None and error.context_mark is not mark:
        message += f" ({error.context} that began on line {error.context_mark.line + 1})"
    return SuiteError(
        message, file=file, line=line, column=column, expected=expected, remedy=remedy
    )


class _Reader:
    """Turns PyYAML's nodes into ours."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._open: set[int] = set()
        self._count = 0

    def node(self, node: yaml.Node, field: str) -> Node:
        """Return the tree below `node`, which stands at dotted path `field`."""
        place = self._place(node, field)
        self._count += 1
        if self._count > _LARGEST_TREE:
            raise self._fault(place, "aliases make this file too large")
        if isinstance(node, yaml.ScalarNode):
            return Leaf(self._scalar(node, place), place)
        if id(node) in self._open:
            raise self._fault(place, "an alias leads back into its own anchor")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                self._plain(node, "seq", place)
                items = [self.node(item, f"{field}[{i}]") for i, item in enumerate(node.value)]
                return ListNode(tuple(items), place)
            self._plain(node, "map", place)
            return self._mapping(node, field, place)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.Node, field: str, place: Place) -> MapNode:
        written: dict[str, Entry] = {}
        inherited: dict[str, Entry] = {}
        merged_at: Place | None = None
        for key_node, value_node in node.value:
            key_place = self._place(key_node, field)
            if key_node.tag == _TAG + "merge":
                if merged_at is not None:
                    raise self._twice(key_place, "<<", merged_at)
                merged_at = key_place
                for key, entry in self._merged(value_node, field).items():
                    inherited.setdefault(key, entry)
                continue
            key = self._key(key_node, key_place)
            key_place = Place(key_place.mark, f"{field}.{key}" if field else key)
            if key in written:
                raise self._twice(key_place, key, written[key].place)
            written[key] = Entry(key_place, self.node(value_node, key_place.field))
        return MapNode(place, {**inherited, **written})

    def _merged(self, node: yaml.Node, field: str) -> dict[str, Entry]:
        """Return the keys that ``<<: node`` brings in; of several mappings the first one wins."""
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found: dict[str, Entry] = {}
        for source in sources:
            tree = self.node(source, field)
            if not isinstance(tree, MapNode):
                raise self._fault(tree.place, "'<<' merges mappings only", "an alias of a mapping")
            for key, entry in tree.entries.items():
                found.setdefault(key, entry)
        return found

    def _key(self, node: yaml.Node, place: Place) -> str:
        value = self._scalar(node, place) if isinstance(node, yaml.ScalarNode) else None
        if isinstance(value, str):
            return value
        shown = node.value if isinstance(node, yaml.ScalarNode) else "this key"
        raise self._fault(
            place, f"a key must be text, not {shown or 'empty'}", f"text; quote it: '{shown}'"
        )

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> str | int | float | bool | None:
        text = node.value
        match node.tag.removeprefix(_TAG):
            case "str" | "merge":
                return str(text)
            case "null":
                return None
            case "bool" if text.lower() in {"true", "false"}:
                return bool(text.lower() == "true")
            case "int" if _INT.fullmatch(text) and len(text) <= 400:
                return int(text, 0 if text[:2] in {"0o", "0x"} else 10)
            case "float" if _FLOAT.fullmatch(text):
                return float(text)
            case "float" if _INFINITE.fullmatch(text):
                return float(text.replace(".", "").lower())
        raise self._fault(place, f"the value {text[:60]!r} does not fit its tag '{node.tag}'")

    def _plain(self, node: yaml.Node, kind: str, place: Place) -> None:
        if node.tag != _TAG + kind:
            raise self._fault(place, f"the tag '{node.tag}' is not allowed", "plain YAML")

    def _place(self, node: yaml.Node, field: str) -> Place:
        mark = node.start_mark
        return Place(Mark(self._file, mark.line + 1, mark.column + 1), field)

    def _twice(self, place: Place, key: str, first: Place) -> SuiteError:
        message = f"key '{key}' appears twice: here and on line {first.mark.line}"
        return self._fault(place, message, "each key once")

    def _fault(self, place: Place, message: str, expected: str | None = None) -> SuiteError:
        return SuiteError(
            message,
            file=self._file,
            line=place.mark.line,
            column=place.mark.column,
            field=place.field or None,
            expected=expected,
        )
