"""A report: one HTML file that fetches nothing and runs nothing, or its figures as files."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from daybreak.analysis.answers import Asked
from daybreak.analysis.answers.shape import Evidence
from daybreak.errors import UserError
from daybreak.report.figures.style import assigned_strokes
from daybreak.report.markup import Html, attached_csv, element, prose, table, text
from daybreak.report.sections import CHAPTERS, Absent, Material, Section, make
from daybreak.report.sections.shape import flat
from daybreak.report.theme import SWITCH, style_sheet

__all__ = ["Part", "Report", "make_report", "page", "write_report"]

# a table below a figure is folded away if it has more rows
_FOLDED = 16
# rows of a table on the page; the data hold more
_ROWS = 250
# nothing is fetched and nothing runs, whatever somebody called an optimizer
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)


@dataclass(frozen=True, slots=True)
class Part:
    """A chapter of a report: its anchor, the question that it answers, and what is in it."""

    name: str
    title: str
    sections: tuple[Section, ...]
    absent: tuple[Absent, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A run's report.

    Attributes:
        title: one line.
        summary: what ran and how much of it, one line.
        parts: its chapters.
        live: whether the run was going on when it was made.
    """

    title: str
    summary: str
    parts: tuple[Part, ...]
    live: bool = False

    @property
    def sections(self) -> tuple[Section, ...]:
        """All sections, in the order of the page."""
        return tuple(section for part in self.parts for section in part.sections)


def make_report(
    results: str | Path = "results", asked: Asked | None = None, study: str | None = None
) -> Report:
    """Make the report of a run.

    Args:
        results: the results folder.
        asked: which run and benchmarks, at which budgets.
        study: id of the study whose model to look into; the first that said something if None.

    Raises:
        UserError: there is no such study, or no benchmark fits.
        StoreError: there is no such run.
        RequirementError: matplotlib is not installed.
    """
    with Evidence(Path(results), asked or Asked()) as evidence:
        run = evidence.run
        if study is not None:
            _check_study(evidence, study)
        material = Material(evidence, study)
        if evidence.asked.benchmark is not None and not material.benchmarks:
            raise UserError(
                f"run '{run.run_id}' has no benchmark '{evidence.asked.benchmark}'",
                expected=f"one of {', '.join(material.all_benchmarks()[:8])}",
            )
        parts = []
        for chapter in CHAPTERS:
            with assigned_strokes(material.labels):
                found = [make(topic, material) for topic in chapter.topics]
            parts.append(
                Part(
                    chapter.name,
                    chapter.title,
                    tuple(one for one in found if isinstance(one, Section)),
                    tuple(one for one in found if isinstance(one, Absent)),
                )
            )
        named = run.suite or run.run_id
        counts = f"{run.studies} studies, {run.evaluations} evaluations, {run.failures} failed"
        return Report(
            f"{named}: {counts}",
            f"run {run.run_id}, {run.status}",
            tuple(parts),
            live=run.status == "running",
        )


def _check_study(evidence: Evidence, study: str) -> None:
    told = evidence.index.execute("SELECT count(*) FROM beliefs WHERE study_id = ?", [study])
    if not (told.fetchone() or (0,))[0]:
        raise UserError(
            f"nothing is recorded of what a model believed in study '{study}'",
            expected="a study of an optimizer that explains itself",
            remedy='daybreak sql "SELECT DISTINCT study_id FROM beliefs"',
        )


def page(report: Report, *, refresh_s: int | None = None) -> str:
    """Return the whole page; with `refresh_s` the browser reads it again every so many seconds."""
    again = refresh_s is not None
    head = [
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f'<meta http-equiv="Content-Security-Policy" content="{text(_POLICY)}">',
        *([f'<meta http-equiv="refresh" content="{refresh_s:d}">'] if again else []),
        element("title", text(report.title)),
        f"<style>\n{style_sheet()}\n</style>",
    ]
    opening = [
        element("h1", text(report.title)),
        element("p", text(report.summary), class_="faint"),
        *([element("p", text(f"read again every {refresh_s} s"), class_="live")] if again else []),
        Html(SWITCH),
    ]
    body = [
        '<a class="skip" href="#content">Skip to the content</a>',
        element("header", *opening),
        _contents(report),
        element("main", Html("\n".join(_part(part) for part in report.parts)), id="content"),
        element("footer", element("p", prose(_FOOT))),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n'
        + "\n".join(head)
        + "\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


_FOOT = (
    "This file is complete in itself: it fetches nothing and runs no script. Queries are run with "
    "`daybreak sql`, where the results are (or with --results DIR)."
)


def _contents(report: Report) -> Html:
    items = []
    for part in report.parts:
        inner = [
            element("li", element("a", text(section.title), href=f"#{section.name}"))
            for section in part.sections
        ]
        link = element("a", text(part.title), href=f"#{part.name}")
        items.append(element("li", link, *([element("ol", *inner)] if inner else [])))
    return element("nav", element("ol", *items), class_="contents", aria_label="Contents")


def _part(part: Part) -> Html:
    content = [element("h2", text(part.title))]
    content += [_section(section) for section in part.sections]
    if part.absent:
        reasons: dict[str, list[str]] = {}
        for one in part.absent:
            reasons.setdefault(one.why, []).append(one.title)
        lines = [
            element("li", element("b", text("; ".join(titles))), text(": "), prose(_sentence(why)))
            for why, titles in reasons.items()
        ]
        content.append(
            element(
                "div",
                element("p", text("Left out, since this run has no data for it:"), class_="faint"),
                element("ul", *lines),
                class_="absent",
            )
        )
    return element("section", Html("\n".join(content)), id=part.name)


def _section(section: Section) -> Html:
    body = section.body
    anchor = element(
        "a", text("#"), class_="anchor", href=f"#{section.name}", aria_label="link to this section"
    )
    content = [element("h3", text(section.title), anchor)]
    if body.svg is not None:
        label = f"figure: {section.title}"
        drawn = element(
            "div", _inlined(section.name, body.svg),
            class_="scroll", tabindex="0", role="region", aria_label=label,
        )  # fmt: skip
        content.append(element("figure", drawn, element("figcaption", prose(body.caption))))
    else:
        content.append(element("p", prose(body.caption), class_="caption"))
    if body.notes:
        notes = (element("li", prose(_sentence(note))) for note in body.notes)
        content.append(element("ul", *notes, class_="notes"))
    if body.table is not None:
        shown = table(body.table, most=_ROWS)
        if body.svg is not None and len(body.table.rows) > _FOLDED:
            words = element("summary", text(f"Table ({len(body.table.rows)} rows)"))
            shown = element("details", words, shown)
        content.append(shown)
    content += _sources(section)
    if body.listing is not None:
        content.append(_folded(*body.listing))
    return element("section", Html("\n".join(content)), id=section.name)


def _sources(section: Section) -> list[Html]:
    """Return the data to download, the query, and how to get what the page has no room for."""
    body, found = section.body, []
    whole = True
    data = body.data or (flat(body.table) if body.table is not None else None)
    if data is not None:
        link, count = attached_csv(section.name, data.columns, data.rows)
        whole = count == len(data.rows)
        found.append(element("p", text("Data: "), link, class_="tools"))
    if body.sql:
        command = (
            f"daybreak sql --format csv --out {section.name}.csv {shlex.quote(body.sql)}"
            if ";" not in body.sql
            else ""
        )
        words = "SQL" if whole else "SQL, and how to get all of the data"
        more = [element("p", text("As a file:")), _code(command)] if command else []
        inner = [element("summary", text(words)), _code(body.sql), *more]
        found.append(element("details", *inner))
    return found


def _folded(words: str, content: str) -> Html:
    return element("details", element("summary", text(words)), _code(content))


def _code(content: str) -> Html:
    return element("pre", element("code", text(content)), tabindex="0")


def _sentence(words: str) -> str:
    return words if words.endswith((".", "?")) else words + "."


_TAG = re.compile(r"<[^<>]+>")
_USED = re.compile(r"(?:url\(#|href=\"#)([^)\"]+)")


def _inlined(name: str, svg: str) -> Html:
    """Return a figure for use inside a page: with ids of its own, colours from the page."""
    svg = re.sub(r"<style>\.daybreak-figure.*?</style>", "", svg, count=1)
    # says of everything on the page what the page's style sheet says of figures
    svg = re.sub(r"<defs>\s*<style type=\"text/css\">[^<]*</style>\s*</defs>\s*", "", svg, count=1)
    used = {match[1] for tag in _TAG.findall(svg) for match in _USED.finditer(tag)}

    def renamed(tag: re.Match[str]) -> str:
        found = re.sub(
            r"\s\bid=\"([^\"]*)\"",
            lambda one: f' id="{name}-{one[1]}"' if one[1] in used else "",
            tag.group(),
        )
        return _USED.sub(lambda one: one.group().replace(f"#{one[1]}", f"#{name}-{one[1]}"), found)

    return Html(_TAG.sub(renamed, svg))


def write_report(
    out: Path,
    report: Report,
    *,
    refresh_s: int | None = None,
    only: Collection[str] | None = None,
) -> list[Path]:
    """Write the page to a file named ``*.html``, or its figures into a folder; return the files.

    A page replaces an older one in one step: whoever reads it sees the old one or the new one.

    Args:
        out: the file or folder.
        report: from `make_report`.
        refresh_s: browsers read the page again every so many seconds; None: never.
        only: names of the figures to write into a folder; None: all.

    Raises:
        UserError: it cannot be written, or there is no figure to write.
    """
    if out.suffix in (".html", ".htm"):
        files = {out: page(report, refresh_s=refresh_s)}
    else:
        drawn: Sequence[Section] = [
            one
            for one in report.sections
            if one.body.svg is not None and (only is None or one.name in only)
        ]
        files = {out / f"{one.name}.svg": f"{one.body.svg}\n" for one in drawn}
        if not files and only is None:
            raise UserError(
                f"{report.summary}: there is nothing to draw yet",
                remedy="look at its leaderboard: daybreak show",
            )
    for file, content in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            _replace(file, content)
        except OSError as error:
            raise UserError(
                f"the report cannot be written: {error.strerror}",
                file=file,
                remedy="name another file: --out FILE.html",
            ) from error
    return list(files)


def _replace(file: Path, content: str) -> None:
    """Write a file beside `file`, then put it in its place; devices are written to as they are."""
    if file.exists() and not file.is_file():
        file.write_text(content, "utf-8")
        return
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o666 & ~_umask()
    number, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as out:
            out.write(content)
        os.chmod(name, mode)
        os.replace(name, file)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _umask() -> int:
    """Return the process's mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
