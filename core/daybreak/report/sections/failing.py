"""What failed, how much results scatter, where the time went, how near the hardware's peak."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from daybreak.analysis.answers import Answer, Estimate
from daybreak.report.figures.bars import Stack, draw_stacks
from daybreak.report.sections.shape import Body, Data, Material, Nothing, by, listed, topic

__all__ = ["failures", "warnings"]

# names that are looked for in warnings
_NAMES = 500
# rows of stacked bars in one figure
_BARS = 40


@topic("failures", "Failures")
def failures(material: Material) -> Body:
    """Failed trials by kind."""
    found = material.find(
        "SELECT benchmark, optimizer, failure_kind, failures, trials, share, example\n"
        "FROM failures WHERE {run} ORDER BY share DESC, benchmark, optimizer, failure_kind"
    )
    if not found.rows:
        raise Nothing("no trial failed")
    kinds = sorted({row["failure_kind"] or "unknown" for row in found.rows})
    grouped = by(found.rows, "benchmark", "optimizer")
    alone = len({benchmark for benchmark, _ in grouped}) == 1
    stacks = [
        Stack(
            optimizer if alone else f"{optimizer}, {benchmark}",
            {row["failure_kind"] or "unknown": 100 * row["share"] for row in rows},
            f"{sum(row['failures'] for row in rows)} of {rows[0]['trials']}",
        )
        for (benchmark, optimizer), rows in sorted(
            grouped.items(), key=lambda one: (-sum(row["share"] for row in one[1]), one[0])
        )
    ]
    notes = (
        f"the {_BARS} of {len(stacks)} with the largest shares are drawn; the data hold all",
    ) if len(stacks) > _BARS else ()  # fmt: skip
    rows = [
        {
            "benchmark": row["benchmark"],
            "optimizer": row["optimizer"],
            "kind": row["failure_kind"],
            "trials": f"{row['failures']} of {row['trials']}",
            "share": _share(row["failures"], row["trials"]),
            "the first said": row["example"],
        }
        for row in found.rows
    ]
    told = ("[low, high]: 95 % Wilson interval of the share",)
    return Body(
        "Share of trials that failed, by kind. Failed trials cost time and budget, and count as "
        "evaluations. Kinds differ in what they mean: `build`, `resource` and `crash` are hidden "
        "constraints that a good optimizer learns to avoid; `wrong_result` and `internal` ask for a "
        "look at the target; `not_reached` is a result.",
        draw_stacks(
            stacks[:_BARS],
            kinds,
            x="per cent of trials",
            title="Failures",
            description="A bar per optimizer and benchmark: share of failed trials by kind.",
        ),
        Answer("failures", "Failed trials", tuple(rows[0]), tuple(rows), told),
        found.sql,
        Data(found.columns, [tuple(row.values()) for row in found.rows]),
        notes,
    )


def _share(count: int, total: int) -> Estimate:
    """Return a share with Wilson's interval (E. Wilson, JASA 22, 1927)."""
    z = 1.959963984540054
    share = count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * (share * (1 - share) / total + z * z / (4 * total**2)) ** 0.5
    return Estimate(share, max(0.0, middle - half), min(1.0, middle + half))


@topic("warnings", "Warnings and notes")
def warnings(material: Material) -> Body:
    """Sentences for the reader that were recorded during the run."""
    found = material.find(
        "SELECT text AS warning, count(*) AS times, min(read_at) AS first\n"
        "FROM readings WHERE run_id = {id} AND name = 'warning' GROUP BY text ORDER BY first, text",
        id=material.evidence.run.run_id,
    )
    plugins = material.find(
        "SELECT name, status, reason FROM plugins WHERE run_id = {id} AND status <> 'ok' "
        "ORDER BY name",
        id=material.evidence.run.run_id,
    )
    notes = material.find(
        "SELECT benchmark, notes::VARCHAR AS notes FROM benchmarks WHERE {run} "
        "AND json_array_length(notes) > 0 ORDER BY benchmark"
    )
    names = [*material.benchmarks, *material.labels]
    rows: list[dict[str, Any]] = [
        {"of": "the run", "what": alike[0], "like it": len(alike) - 1 or None}
        for alike in _alike([row["warning"] for row in found.rows], names)
    ]
    rows += [
        {"of": f"plugin {row['name']}", "what": f"{row['status']}: {row['reason'] or ''}"}
        for row in plugins.rows
    ]
    told: dict[str, list[str]] = {}
    for row in notes.rows:
        for note in listed(row["notes"]):
            told.setdefault(note, []).append(row["benchmark"])
    rows += [
        {"of": homes[0], "what": note, "like it": len(homes) - 1 or None}
        for note, homes in told.items()
    ]
    if not rows:
        raise Nothing("nothing was warned of")
    return Body(
        "What Daybreak, its plugins and the benchmarks say that a reader must know: a busy machine, "
        "a processor that changes its clock rate, a parameter that has no effect here. Sentences "
        "that differ in numbers and names alone are shown once.",
        table=Answer("warnings", "Warnings and notes", ("of", "like it", "what"), tuple(rows)),
        sql=found.sql,
        data=Data(found.columns, [tuple(row.values()) for row in found.rows])
        if found.rows
        else None,
    )


def _alike(sentences: Sequence[str], names: Sequence[str]) -> list[list[str]]:
    """Return sentences grouped where they differ in numbers and in `names` alone."""
    words = sorted({name for name in names if name}, key=len, reverse=True)[:_NAMES]
    varying = re.compile("|".join([*(re.escape(word) for word in words), r"\d+(?:[.,]\d+)*"]))
    found: dict[str, list[str]] = {}
    for sentence in sentences:
        found.setdefault(varying.sub("#", sentence), []).append(sentence)
    return list(found.values())
