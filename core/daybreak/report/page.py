"""A report as one HTML page that fetches nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import re
import shlex

from daybreak.report.making import Part, Report
from daybreak.report.markup import Html, attached_csv, element, prose, table, text
from daybreak.report.sections import Section
from daybreak.report.sections.shape import flat
from daybreak.report.theme import SWITCH, style_sheet

__all__ = ["page"]

# a table below a figure is folded away if it has more rows
_FOLDED = 16
# rows of a table on the page; the data hold more
_ROWS = 250
# nothing is fetched and nothing runs, whatever somebody called an optimizer
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; script-src {scripts}"
)


def page(report: Report, *, refresh_s: int | None = None) -> str:
    """Return the whole page; with `refresh_s` the browser reads it again every so many seconds.

    Then, and only then, it has a script, which keeps what the reader had opened and chosen.
    """
    again = refresh_s is not None
    script = importlib.resources.files("daybreak.report").joinpath("live.js").read_text("utf-8")
    seal = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = _POLICY.format(scripts=f"'sha256-{seal}'" if again else "'none'")
    head = [
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f'<meta http-equiv="Content-Security-Policy" content="{text(policy)}">',
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
        element(
            "footer",
            element("p", prose(_FOOT.format(alone="" if again else " and runs no script"))),
        ),
        *([f"<script>{script}</script>"] if again else []),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n'
        + "\n".join(head)
        + "\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


_FOOT = (
    "This file is complete in itself: it fetches nothing{alone}. Queries are run with `daybreak sql`, "
    "where the results are (or with --results DIR)."
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
