"""A new plugin project, written from the templates beside this module."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from daybreak import __version__
from daybreak.errors import UserError, nearest
from daybreak.plugin.markers import API_VERSION

__all__ = ["KINDS", "Project", "write_project"]

#: kinds of component that a project can be made for
KINDS = ("target", "optimizer")
#: what a template's file name ends with, so that no tool takes it for a module or a test
_SUFFIX = ".tmpl"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Project:
    """What was written.

    Attributes:
        folder: the project's folder.
        component: name of the component.
        distribution: name of the distribution.
        package: name of the import package.
        files: every file, relative to `folder`.
    """

    folder: Path
    component: str
    distribution: str
    package: str
    files: tuple[Path, ...]


def write_project(kind: str, folder: Path, *, name: str | None = None) -> Project:
    """Write a complete plugin project into `folder`, which must be empty or not exist.

    The distribution is named after the folder, the component after the distribution without a
    leading ``daybreak-``. The project passes its own tests and the conformance kit as it is.

    Args:
        kind: `target` or `optimizer`.
        folder: where to.
        name: name of the component, if another one is wanted.

    Raises:
        UserError: an unknown kind, a name that cannot be used, or a folder with something in it.
    """
    if kind not in KINDS:
        raise UserError(
            f"there is no template for '{kind}'",
            expected=f"one of {', '.join(KINDS)}",
            nearest=nearest(kind, KINDS),
        )
    folder = folder.absolute()
    distribution = folder.name.lower().replace("_", "-")
    component = name if name is not None else distribution.removeprefix("daybreak-")
    _check_name("name of the component", component)
    _check_name("name of the folder", distribution)
    package = distribution.replace("-", "_")
    better = f"name the folder '{'my' if package == 'daybreak' else 'daybreak'}-{distribution}'"
    class_name = "".join(word.capitalize() for word in component.split("-"))
    if keyword.iskeyword(package) or keyword.iskeyword(class_name):
        word = package if keyword.iskeyword(package) else class_name
        raise UserError(
            f"'{word}' is a word of Python's own: nothing can be named so",
            remedy=better if word == package else "choose another name for the component",
        )
    if package in sys.stdlib_module_names or package in {"daybreak", "tests"}:
        raise UserError(f"a package '{package}' would hide another one", remedy=better)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(
                f"'{folder}' exists and is not an empty folder", remedy="choose another folder"
            )
        written = _render(
            kind,
            folder,
            {
                "distribution": distribution,
                "package": package,
                "component": component,
                "class_name": class_name,
                "daybreak_version": __version__,
                "api_version": API_VERSION,
            },
        )
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=error.filename) from error
    return Project(folder, component, distribution, package, tuple(written))


def _check_name(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UserError(
            f"{what}: '{name}' cannot be used",
            expected="a lower-case letter, then letters, digits and single hyphens",
        )


def _render(kind: str, folder: Path, words: dict[str, str]) -> list[Path]:
    written = []
    templates = files("daybreak.plugin") / "templates"
    for root in (templates / "common", templates / kind):
        for parts, template in _walk(root):
            path = Path(*(part.replace("__package__", words["package"]) for part in parts))
            path = path.with_name(path.name.removesuffix(_SUFFIX))
            text = Template(template.read_text(encoding="utf-8")).substitute(words, kind=kind)
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            written.append(path)
    return sorted(written)


def _walk(
    folder: Traversable, parts: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _walk(entry, (*parts, entry.name))
        elif entry.name.endswith(_SUFFIX):
            yield (*parts, entry.name), entry
