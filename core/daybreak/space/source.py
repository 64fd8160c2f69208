"""Reads a YAML file into plain values, and remembers on which line each of them stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from daybreak.errors import SpaceError

__all__ = ["Lines", "read_yaml"]

#: Larger files are no search spaces; reading them would only exhaust memory.
_MAX_BYTES = 16 * 1024 * 1024


class Lines:
    """The lines of the values in a YAML document, found by their path from its root."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def of(self, path: tuple[str | int, ...]) -> int | None:
        """Return the 1-based line of the value at `path`, or of the nearest value above it."""
        node = self._root
        line = None if node is None else node.start_mark.line + 1
        for step in path:
            node = _child(node, step)
            if node is None:
                break
            line = node.start_mark.line + 1
        return line


def _child(node: Any, step: str | int) -> Any:
    import yaml

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return value
        if isinstance(step, int) and step < len(node.value):
            return node.value[step][0]
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step]
    return None


def read_yaml(file: Path) -> tuple[Any, Lines]:
    """Return the content of `file` and its lines.

    Raises:
        SpaceError: the file is missing, unreadable, no text or no YAML.
    """
    import yaml

    try:
        if file.stat().st_size > _MAX_BYTES:
            raise SpaceError(f"larger than {_MAX_BYTES} bytes: no search space", file=file)
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise SpaceError(
            f"cannot be read: {error.strerror or error}",
            file=file,
            remedy="check the path of the space file",
        ) from error
    except UnicodeDecodeError as error:
        raise SpaceError("this is not a text file in UTF-8", file=file) from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise SpaceError(
            f"this is not YAML: {getattr(error, 'problem', None) or error}",
            file=file,
            line=None if mark is None else mark.line + 1,
            column=None if mark is None else mark.column + 1,
        ) from error
    except RecursionError as error:
        raise SpaceError("nested too deeply", file=file) from error
    return content, Lines(root)
