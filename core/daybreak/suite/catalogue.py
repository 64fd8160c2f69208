"""Where suites are found: those shipped with Daybreak by name, anybody's by path."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from daybreak.errors import SuiteError, nearest

__all__ = ["SuiteInfo", "find_suite", "list_suites", "shipped_suites"]

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class SuiteInfo:
    """A shipped suite: its name, file and one-line description."""

    name: str
    path: Path
    description: str


def _folder() -> Path | None:
    """Return the folder of the shipped suites: in the installed package or in the checkout."""
    package = Path(__file__).resolve().parent / "shipped"
    if package.is_dir():
        return package
    checkout = Path(__file__).resolve().parents[3]
    folder = checkout / "suites"
    return folder if folder.is_dir() and (checkout / "pyproject.toml").is_file() else None


def shipped_suites() -> dict[str, Path]:
    """Return the files of the shipped suites by name, in the order of their names."""
    folder = _folder()
    if folder is None:
        return {}
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def list_suites() -> list[SuiteInfo]:
    """Return the shipped suites with what their files say about them."""
    from daybreak.suite.reader import parse_tree, read_text

    found = []
    for name, path in shipped_suites().items():
        entry = parse_tree(read_text(path), str(path)).get("description")
        found.append(SuiteInfo(name, path, str(entry.plain()) if entry is not None else ""))
    return found


def find_suite(name_or_path: str | Path) -> Path:
    """Return the file of a suite.

    A `Path`, and text with a path separator or the suffix ``.yaml`` or ``.yml``, is a path first;
    other text is the name of a shipped suite first. What is left over is tried the other way.

    Raises:
        SuiteError: neither; with the nearest shipped name.
    """
    text = str(name_or_path)
    path = Path(name_or_path).expanduser() if text else Path(text)
    separators = [os.sep] + ([os.altsep] if os.altsep else [])
    has_separator = any(separator in text for separator in separators)
    is_path = isinstance(name_or_path, Path) or has_separator or path.suffix in _SUFFIXES
    shipped = shipped_suites()
    if not is_path and text in shipped:
        return shipped[text]
    try:
        if text and (path.exists() or path.is_symlink()):
            return path
    except (OSError, ValueError):  # too long, or a null character
        pass
    if path.suffix in _SUFFIXES and not has_separator and path.stem in shipped:
        return shipped[path.stem]
    near = nearest(path.stem, shipped)
    if is_path:
        raise SuiteError(
            "no such file",
            file=text,
            expected="a suite file, or the name of a shipped suite: " + ", ".join(shipped),
            nearest=near,
            remedy="daybreak suites list",
        )
    raise SuiteError(
        f"no suite '{text}'",
        expected="the path of a suite file, or the name of a shipped suite: " + ", ".join(shipped),
        nearest=near,
        remedy="daybreak suites list",
    )
