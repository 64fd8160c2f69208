"""Takes what a search found at one fidelity to another: ``python -m daybreak_hpvm.candidates``.

It reads the front of a run (with one objective: its best trials) from a results folder, and writes a
file that the option `candidates` reads. There they are references, which the optimizer `references`
measures: choose with the model, confirm with real tools.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from daybreak import UserError, query

__all__ = ["chosen", "main", "spaced"]

_FRONT = """
    SELECT t.configuration::JSON::VARCHAR AS configuration, p.objectives::JSON::VARCHAR AS objectives
    FROM pareto p JOIN trials t ON t.trial_id = p.trial_id
    WHERE p.benchmark GLOB '{benchmark}' AND p.run_id = '{run}'
"""
_BEST = """
    SELECT t.configuration::JSON::VARCHAR AS configuration, t.objectives::JSON::VARCHAR AS objectives
    FROM evaluations e JOIN trials t ON t.trial_id = e.trial_id
    WHERE e.benchmark GLOB '{benchmark}' AND e.run_id = '{run}' AND e.loss IS NOT NULL
    ORDER BY e.loss
"""
_RUN = """
    SELECT r.run_id FROM runs r JOIN studies s ON s.run_id = r.run_id
    WHERE s.benchmark GLOB '{benchmark}' ORDER BY r.started_at DESC LIMIT 1
"""


def chosen(results: Path, benchmark: str, most: int) -> list[dict[str, Any]]:
    """Return candidates: name, configuration, and the objectives that they had.

    Args:
        results: the results folder.
        benchmark: full name or a shell pattern; its newest run is taken.
        most: so many at most: evenly spaced along a front by the first objective, ends included.

    Raises:
        UserError: there is no such benchmark in the results, or nothing on it succeeded.
    """
    if "'" in benchmark:
        raise UserError(f"{benchmark!r} is no benchmark's name")
    runs = query(_RUN.format(benchmark=benchmark), results)
    if runs.empty:
        raise UserError(
            f"nothing was run on '{benchmark}' in {results}",
            remedy="list what there is: daybreak sql 'SELECT DISTINCT benchmark FROM studies'",
        )
    run = str(runs["run_id"][0])
    front = query(_FRONT.format(benchmark=benchmark, run=run), results)
    several = not front.empty
    rows = front if several else query(_BEST.format(benchmark=benchmark, run=run), results)
    found: dict[str, dict[str, Any]] = {}
    for configuration, objectives in zip(rows["configuration"], rows["objectives"], strict=True):
        found.setdefault(
            configuration,
            {"configuration": json.loads(configuration), "objectives": json.loads(objectives)},
        )
    if not found:
        raise UserError(f"no trial on '{benchmark}' succeeded in run {run}")
    listed = list(found.values())
    if several:
        first = next(iter(listed[0]["objectives"]))
        listed.sort(key=lambda one: float(one["objectives"][first]))
        listed = spaced(listed, most)
    return [{"name": f"candidate-{i + 1}", **one} for i, one in enumerate(listed[:most])]


def spaced(items: Sequence[Any], most: int) -> list[Any]:
    """Return `most` of `items`, evenly spaced, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    if most == 1:
        return [items[0]]
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m daybreak_hpvm.candidates", description=__doc__)
    parser.add_argument("benchmark", help="full name or pattern, e.g. 'hpvm/edge:*-both-model'")
    parser.add_argument("--results", type=Path, default=Path("results"), help="results folder")
    parser.add_argument("--most", type=int, default=6, help="candidates, at most")
    parser.add_argument("--out", type=Path, default=Path("candidates.json"), help="file to write")
    options = parser.parse_args(arguments)
    try:
        found: list[Mapping[str, Any]] = list(
            chosen(options.results, options.benchmark, max(1, options.most))
        )
        text = json.dumps({"benchmark": options.benchmark, "candidates": found}, indent=1)
        options.out.write_text(text + "\n", encoding="utf-8")
    except (UserError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{len(found)} candidates written to {options.out}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
