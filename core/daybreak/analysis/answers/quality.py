"""How good what was found is: scores, ranks, profiles, distributions over targets, speed-ups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from daybreak.analysis.answers.shape import Answer, Estimate, Evidence
from daybreak.analysis.hits import distributions, profiles
from daybreak.analysis.ranking import critical_difference, mean_ranks, ranks
from daybreak.analysis.resampling import FEWEST_SEEDS
from daybreak.analysis.scores import mean_scores
from daybreak.analysis.speedup import ALL_MEDIANS, ALL_SCORES, speedup_at
from daybreak.errors import UserError

__all__ = [
    "ecdf",
    "profile",
    "ranking",
    "score",
    "score_by_benchmark",
    "speedup",
]

_TAUS = (1.0, 1.5, 2.0, 4.0)


def _moment(evidence: Evidence, at: int) -> str:
    return f"at {at}" if evidence.asked.search_clock == "evaluations" else f"at {at}x random's time"


def _titled(evidence: Evidence) -> str:
    clock = "" if evidence.asked.search_clock == "evaluations" else ", on the clock"
    return f"{evidence.run.suite or evidence.run.run_id}{clock}"


def score(evidence: Evidence) -> Answer:
    """Mean score over benchmarks, at every budget, with the interval over seeds."""
    at = evidence.at
    found = mean_scores(
        evidence.curves, at, clock=evidence.asked.search_clock, level=evidence.asked.level
    )
    scored = evidence.curves.scored()
    last = f"other spaces {_moment(evidence, at[-1])}"
    columns = ("optimizer", "studies", *(_moment(evidence, n) for n in at), last)
    rows, notes = [], []
    for optimizer in dict.fromkeys(one.optimizer for one in found):
        own = {one.at: one for one in found if one.optimizer == optimizer}
        end = own[at[-1]]
        studies = max(one.studies for one in own.values())
        row: dict[str, object] = {"optimizer": optimizer, "studies": studies}
        for n, one in own.items():
            row[_moment(evidence, n)] = Estimate.of(one.mean, one.seeds)
        row[last] = Estimate.of(None, end.spaces)
        rows.append(row)
        if 0 < end.benchmarks < len(scored.benchmarks):
            notes.append(
                f"{optimizer} has studies on {end.benchmarks} of {len(scored.benchmarks)} "
                "benchmarks only: its mean must not be compared with the others'"
            )
        if end.missing:
            notes.append(f"{end.missing} studies of {optimizer} did not get to {at[-1]}")
    left_out = len(evidence.curves.benchmarks) - len(scored.benchmarks)
    if left_out:
        notes.append(f"{left_out} benchmarks without a known landscape are left out")
    notes.insert(0, "0 is calculated random search, 1 the optimum; mean over benchmarks")
    notes.insert(
        1,
        f"[low, high]: {evidence.percent} bootstrap interval over seeds, for these benchmarks; "
        "'other spaces': benchmarks drawn anew too"
        + (
            f", from {len(scored.benchmarks)} benchmarks only, which makes it too narrow"
            if len(scored.benchmarks) < 10
            else ""
        ),
    )
    view, moment = (
        ("score", "evaluation")
        if evidence.asked.search_clock == "evaluations"
        else ("score_by_time", "random_evaluations")
    )
    sql = (
        f"SELECT optimizer, avg(score) AS score FROM (SELECT optimizer, benchmark, "  # noqa: S608
        f"avg(score) AS score FROM {view} WHERE run_id = '{evidence.run.run_id}' "
        f"AND {moment} = {at[-1]} GROUP BY ALL) GROUP BY ALL ORDER BY score DESC"
    )
    return Answer(
        "score", f"Mean score: {_titled(evidence)}", columns, tuple(rows), tuple(notes), sql
    )


def score_by_benchmark(evidence: Evidence) -> Answer:
    """Score on each benchmark at the last budget."""
    curves, at = evidence.curves.scored(), evidence.at[-1]
    clock, level = evidence.asked.search_clock, evidence.asked.level
    order = [one.optimizer for one in mean_scores(curves, [at], clock=clock, level=level)]
    rows: dict[str, dict[str, object]] = {name: {"optimizer": name} for name in order}
    for benchmark in curves.benchmarks:
        for one in mean_scores(curves.benchmark(benchmark), [at], clock=clock, level=level):
            rows[one.optimizer][benchmark] = Estimate.of(one.mean, one.seeds)
    return Answer(
        "score-by-benchmark",
        f"Score {_moment(evidence, at)}, by benchmark: {_titled(evidence)}",
        ("optimizer", *curves.benchmarks),
        tuple(rows.values()),
        (f"[low, high]: {evidence.percent} bootstrap interval over seeds",),
        "SELECT benchmark, optimizer, avg(score) AS score FROM score "  # noqa: S608
        f"WHERE run_id = '{evidence.run.run_id}' AND evaluation = {at} GROUP BY ALL ORDER BY ALL",
    )


def ranking(evidence: Evidence) -> Answer:
    """Mean rank over benchmarks, and the rank on each."""
    at, curves = evidence.at[-1], evidence.curves
    level = evidence.asked.level
    means = mean_ranks(curves, at, level=level)
    each = {(one.optimizer, one.benchmark): one for one in ranks(curves, at, level=level)}
    judged = critical_difference(curves, at, level=level)
    names = [one.optimizer for one in means]
    names += [name for name in curves.optimizers if name not in names]
    by_name = {one.optimizer: one for one in means}
    rows = []
    for name in names:
        row: dict[str, object] = {"optimizer": name}
        if name in by_name:
            row["mean rank"] = Estimate.of(by_name[name].rank, by_name[name].interval)
            first = by_name[name].first
            row["first"] = None if first is None else f"{100 * first:.0f} %"
        for benchmark in curves.benchmarks:
            if (name, benchmark) in each:
                one = each[name, benchmark]
                row[benchmark] = Estimate.of(one.rank, one.interval)
        rows.append(row)
    notes = [
        f"ranks after {at} evaluations, 1 is best; [low, high]: {evidence.percent} bootstrap "
        "interval over seeds; first: share of bootstrap draws with the smallest mean rank",
        (
            f"critical difference of mean ranks: {judged.difference:.3g}; {judged.reason}"
            if judged.difference is not None
            else f"no critical difference: {judged.reason}"
        ),
    ]
    if all(one.first is None for one in means):
        notes.append(
            f"no interval: it takes {FEWEST_SEEDS} studies of each optimizer on a benchmark"
        )
    columns = ("optimizer", "mean rank", "first", *curves.benchmarks)
    return Answer("ranks", f"Ranks: {_titled(evidence)}", columns, tuple(rows), tuple(notes))


def profile(evidence: Evidence) -> Answer:
    """Performance profile: how often an optimizer is within a factor of the quickest."""
    found = profiles(evidence.hits, clock=evidence.asked.search_clock, taus=_TAUS)
    heads = ["quickest", *(f"within {tau:g}x" for tau in _TAUS[1:])]
    rows = [
        {
            "optimizer": one.optimizer,
            **{head: float(share) for head, share in zip(heads, one.share, strict=True)},
            "ever": one.solved,
        }
        for one in sorted(found, key=lambda one: (-one.share.sum(), one.optimizer))
    ]
    problems = found[0].problems if found else 0
    return Answer(
        "profile",
        f"Performance profile: {_titled(evidence)}",
        ("optimizer", *heads, "ever"),
        tuple(rows),
        (
            f"share of {problems} problems (a target on a benchmark) that the optimizer solves "
            f"within a factor of the quickest one's expected {evidence.asked.search_clock}",
        ),
        f"FROM ecdf WHERE run_id = '{evidence.run.run_id}'",
    )


def ecdf(evidence: Evidence) -> Answer:
    """Share of targets reached, over all studies, at every budget."""
    at = evidence.at
    found = distributions(
        evidence.hits, clock=evidence.asked.search_clock, moments=at, level=evidence.asked.level
    )
    rows = []
    for one in sorted(found, key=lambda one: (-float(one.share[-1]), one.optimizer)):
        row: dict[str, object] = {"optimizer": one.optimizer}
        for i, n in enumerate(at):
            low, high = float(one.low[i]), float(one.high[i])
            known = low == low  # not NaN
            row[_moment(evidence, n)] = Estimate(
                float(one.share[i]), low if known else None, high if known else None
            )
        rows.append(row)
    targets = [name.removeprefix("gap-") for name in evidence.hits.targets if name != "expert"]
    return Answer(
        "ecdf",
        f"Targets reached: {_titled(evidence)}",
        ("optimizer", *(_moment(evidence, n) for n in at)),
        tuple(rows),
        (
            f"share of (study, target) pairs reached; targets are {', '.join(targets)} of the gap "
            "between the median configuration and the optimum",
        ),
        "SELECT optimizer, count(*) FILTER (evaluation <= "  # noqa: S608
        f"{at[-1]}) / count(*) AS share FROM ecdf WHERE run_id = '{evidence.run.run_id}' "
        "AND target_name <> 'expert' GROUP BY ALL ORDER BY share DESC",
    )


def speedup(evidence: Evidence) -> Answer:
    """By what factor an optimizer needs fewer evaluations than another to get as far."""
    curves = evidence.curves
    against = evidence.asked.against or _usual(curves.optimizers)
    curves.index(against)
    usual = [n for n in (60,) if n < curves.evaluations] or [curves.evaluations]
    at = max(evidence.asked.at) if evidence.asked.at else usual[0]
    rows = []
    heads: list[str] = []
    for name in curves.optimizers:
        if name == against:
            continue
        found = speedup_at(curves, name, against, at, level=evidence.asked.level)
        row: dict[str, object] = {"optimizer": name}
        for one in found:
            row[one.benchmark] = Estimate(
                one.factor, one.interval.low, one.interval.high, "<=" if one.bound else ""
            )
            if one.benchmark not in heads:
                heads.append(one.benchmark)
        rows.append(row)
    heads.sort(key=lambda name: ({ALL_SCORES: 0, ALL_MEDIANS: 1}.get(name, 2), name))

    def standing(row: Mapping[str, object]) -> tuple[float, str]:
        value = row.get(heads[0]) if heads else None
        factor = value.value if isinstance(value, Estimate) and value.value is not None else 0.0
        return -factor, str(row["optimizer"])

    return Answer(
        "speedup",
        f"Evaluations to reach what {against} has after {at}: {_titled(evidence)}",
        ("optimizer", *heads),
        tuple(sorted(rows, key=standing)),
        (
            f"factor by which fewer evaluations are needed: 2 means half of {at}; <=: it did not "
            "get there within its budget; an open end is unknown for the same reason",
            f"{ALL_SCORES}: until the mean over benchmarks is as good; {ALL_MEDIANS}: of the "
            "factors by benchmark, which compare medians over seeds",
            f"[low, high]: {evidence.percent} bootstrap interval over seeds",
        ),
    )


def _usual(optimizers: Sequence[str]) -> str:
    for name in ("baco-paper", "random"):
        if name in optimizers:
            return name
    raise UserError(
        "against which optimizer?",
        expected=f"one of {', '.join(optimizers)}",
        remedy="name it: --against LABEL",
    )
