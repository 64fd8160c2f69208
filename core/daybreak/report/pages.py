"""Pages whose tables are made from results: what stands between two comments is written anew.

::

    <!-- begin: analyze score --at 20,60,100 -->
    (a table)
    <!-- end -->

    <!-- begin: figure score -->
    (the picture with its caption)
    <!-- end -->
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from daybreak.analysis.answers import Asked, answer
from daybreak.errors import UserError, nearest
from daybreak.report.answers import markdown_table
from daybreak.report.sections.shape import Section

__all__ = ["marked_figures", "parse_numbers", "update_page"]

_BLOCK = re.compile(
    r"^(?P<begin><!-- begin: (?P<kind>analyze|figure) (?P<words>.*?) -->)\n(?P<old>.*?)^(?P<end><!-- end -->)$",
    re.MULTILINE | re.DOTALL,
)


def update_page(
    page: Path,
    results: Path,
    asked: Asked,
    *,
    figures: Path | None = None,
    sections: Sequence[Section] = (),
) -> int:
    """Write what is marked in `page` anew and return how many marks there are.

    Options in a mark (`--at`, `--benchmark`, `--clock`, `--against`, `--target`, `--of`, `--by`,
    `--parameter`) go over `asked`.

    Args:
        page: a Markdown file.
        results: the results folder.
        asked: which run and benchmarks, at which budgets.
        figures: the folder that the figures of `sections` lie in; None: figures stay as they are.
        sections: sections of a report of the same run.

    Raises:
        UserError: the page cannot be read or written, has no mark, or a mark is wrong.
        StoreError: there is no such run.
    """
    try:
        text = page.read_text("utf-8")
    except OSError as error:
        raise UserError(f"the page cannot be read: {error.strerror}", file=page) from error
    found = [one for one in _BLOCK.finditer(text) if figures or one["kind"] == "analyze"]
    if not found:
        raise UserError(
            "the page has no place for a table",
            file=page,
            expected="lines '<!-- begin: analyze score -->' and '<!-- end -->'",
        )
    parts, done = [], 0
    for match in found:
        line = text.count("\n", 0, match.start()) + 1
        if match["kind"] == "figure" and figures is not None:
            new = _figure(match["words"].strip(), sections, figures, page, line)
        else:
            name, own = _parse(match["words"], asked, page, line)
            (one,) = answer(name, results, own)
            new = markdown_table(one)
        parts += [text[done : match.start()], match["begin"], "\n\n", new, "\n\n", match["end"]]
        done = match.end()
    try:
        page.write_text("".join([*parts, text[done:]]), "utf-8")
    except OSError as error:
        raise UserError(f"the page cannot be written: {error.strerror}", file=page) from error
    return len(found)


def marked_figures(page: Path) -> set[str]:
    """Return the names of the figures that `page` has a place for; none if it cannot be read."""
    try:
        found = _BLOCK.finditer(page.read_text("utf-8"))
    except OSError:
        return set()
    return {one["words"].strip() for one in found if one["kind"] == "figure"}


def _figure(name: str, sections: Sequence[Section], folder: Path, page: Path, line: int) -> str:
    """Return a link to a section's figure, and its caption."""
    known = {section.name: section for section in sections if section.body.svg is not None}
    if name not in known:
        raise UserError(
            f"the run has no figure '{name}'",
            file=page,
            line=line,
            expected=f"one of {', '.join(known)}" if known else None,
            nearest=nearest(name, known),
        )
    path = os.path.relpath(folder / f"{name}.svg", page.parent)
    return f"![{known[name].title}]({Path(path).as_posix()})\n\n{known[name].body.caption}"


def parse_numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of a list such as ``20,60,200``.

    Raises:
        UserError: a part is no whole number.
    """
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise UserError(
            f"'{text}' is no list of evaluations", expected="numbers such as 20,60,200"
        ) from None


_OPTIONS: dict[str, Callable[[Asked, str], Asked]] = {
    "--at": lambda asked, text: replace(asked, at=parse_numbers(text)),
    "--benchmark": lambda asked, text: replace(asked, benchmark=text),
    "--clock": lambda asked, text: replace(asked, clock=text),
    "--against": lambda asked, text: replace(asked, against=text),
    "--target": lambda asked, text: replace(asked, targets=tuple(text.split(","))),
    "--of": lambda asked, text: replace(asked, of=text),
    "--by": lambda asked, text: replace(asked, by=text),
    "--parameter": lambda asked, text: replace(asked, parameter=text),
}


def _parse(words: str, asked: Asked, page: Path, line: int) -> tuple[str, Asked]:
    name, *rest = shlex.split(words)
    if len(rest) % 2 or any(option not in _OPTIONS for option in rest[::2]):
        raise UserError(
            f"the mark 'analyze {words}' cannot be read",
            file=page,
            line=line,
            expected=f"the name of an analysis, then any of {', '.join(_OPTIONS)} with a value",
        )
    for option, value in zip(rest[::2], rest[1::2], strict=True):
        asked = _OPTIONS[option](asked, value)
    return name, asked
