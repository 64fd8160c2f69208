"""A report: one HTML file that fetches nothing, or its figures as files."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from daybreak.analysis.answers import Answer, Asked
from daybreak.analysis.answers.shape import Evidence
from daybreak.errors import UserError
from daybreak.report.answers import cell
from daybreak.report.sections import SECTIONS, Material, Section

__all__ = ["make_sections", "page", "write_report"]

_CSS = """
:root { color-scheme: light dark; --ink: #1f2328; --faint: #59636e; --line: #d1d9e0;
        --ground: #ffffff; --code: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --faint: #9198a1; --line: #3d444d; --ground: #0d1117; --code: #151b23; }
}
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: var(--ink);
       background: var(--ground); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
p.caption, ul.notes, header p { color: var(--faint); max-width: 46rem; }
figure { margin: 0; overflow-x: auto; }
.daybreak-figure { color: var(--ink); max-width: 100%; height: auto; }
div.table { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { padding: 0.2rem 0.9rem 0.2rem 0; text-align: right; white-space: nowrap;
         border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
details { margin: 0.6rem 0; } summary { color: var(--faint); cursor: pointer; }
pre { background: var(--code); padding: 0.7rem; overflow-x: auto; white-space: pre-wrap; }
nav a { margin-right: 1rem; }
"""


def make_sections(
    results: str | Path = "results", asked: Asked | None = None, study: str | None = None
) -> tuple[str, list[Section]]:
    """Return the title of a run's report and its sections.

    Args:
        results: the results folder.
        asked: which run and benchmarks, at which budgets.
        study: id of the study whose model to look into; the first that said something if None.

    Raises:
        UserError: there is no such study, or nothing to show.
        StoreError: there is no such run.
        RequirementError: matplotlib is not installed.
    """
    with Evidence(Path(results), asked or Asked()) as evidence:
        run = evidence.run
        if study is not None:
            _check_study(evidence, study)
        found = [section(Material(evidence, study)) for section in SECTIONS]
        sections = [section for section in found if section is not None]
        if not sections:
            raise UserError(
                f"run '{run.run_id}' has nothing to draw yet",
                remedy="look at its leaderboard: daybreak show",
            )
        words = f"{run.suite or 'run'}: {run.studies} studies, {run.evaluations} evaluations"
        return f"{words} ({run.run_id})", sections


def _check_study(evidence: Evidence, study: str) -> None:
    told = evidence.index.execute("SELECT count(*) FROM beliefs WHERE study_id = ?", [study])
    if not (told.fetchone() or (0,))[0]:
        raise UserError(
            f"nothing is recorded of what a model believed in study '{study}'",
            expected="a study of an optimizer that explains itself",
            remedy='daybreak sql "SELECT DISTINCT study_id FROM beliefs"',
        )


def page(title: str, sections: Sequence[Section]) -> str:
    """Return the whole page."""
    links = " ".join(f'<a href="#{s.name}">{html.escape(s.title)}</a>' for s in sections)
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n<body>",
        f"<header><h1>{html.escape(title)}</h1><nav>{links}</nav></header>",
        *(_section(section) for section in sections),
        "</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _section(section: Section) -> str:
    parts = [f'<section id="{section.name}">\n<h2>{html.escape(section.title)}</h2>']
    if section.svg is not None:
        parts.append(f"<figure>{_scoped(section)}</figure>")
    parts.append(f'<p class="caption">{html.escape(section.caption)}</p>')
    if section.table is not None:
        parts.append(_table(section.table))
    if section.sql:
        parts.append(
            "<details><summary>SQL</summary>"
            f"<pre><code>{html.escape(section.sql)}</code></pre></details>"
        )
    return "\n".join([*parts, "</section>"])


def _scoped(section: Section) -> str:
    """Return the figure with ids of its own: several figures share a page."""
    import re

    text = section.svg or ""
    # the page decides about colours
    text = re.sub(r"<style>\.daybreak-figure.*?</style>", "", text, count=1)
    text = re.sub(r'\bid="', f'id="{section.name}-', text)
    text = re.sub(r"url\(#", f"url(#{section.name}-", text)
    return re.sub(r'href="#', f'href="#{section.name}-', text)


def _table(found: Answer) -> str:
    head = "".join(f"<th>{html.escape(column)}</th>" for column in found.columns)
    rows = "\n".join(
        "<tr>"
        + "".join(f"<td>{html.escape(cell(row.get(column)))}</td>" for column in found.columns)
        + "</tr>"
        for row in found.rows
    )
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in found.notes)
    return (
        f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f'</div><ul class="notes">{notes}</ul>'
    )


def write_report(out: Path, title: str, sections: Sequence[Section]) -> list[Path]:
    """Write the page to a file named ``*.html``, or its figures into a folder; return the files.

    Raises:
        UserError: it cannot be written.
    """
    files = (
        {out: page(title, sections)}
        if out.suffix in (".html", ".htm")
        else {out / f"{s.name}.svg": s.svg + "\n" for s in sections if s.svg is not None}
    )
    for file, text in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        except OSError as error:
            raise UserError(
                f"the report cannot be written: {error.strerror}",
                file=file,
                remedy="name another file: --out FILE.html",
            ) from error
    return list(files)
