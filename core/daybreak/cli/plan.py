"""`daybreak plan`: what a suite would run, and how long its budgets allow that to take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from daybreak.cli.completion import complete_suites
from daybreak.cli.output import print_json, print_message, print_table

if TYPE_CHECKING:
    from daybreak.plugin.contracts import Benchmark
    from daybreak.records import Budget, StudyPlan
    from daybreak.suite import Missing, RunPlan, TimeBound

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `plan` to `app`."""
    app.command("plan")(_plan)


def _plan(
    suite: Annotated[
        str,
        typer.Argument(
            help="Name of a shipped suite, or path of a YAML file.", autocompletion=complete_suites
        ),
    ],
    only: Annotated[
        str | None,
        typer.Option(
            help="Only studies that match a pattern over BENCHMARK, OPTIMIZER or "
            "BENCHMARK+OPTIMIZER, e.g. 'taco/spmm*+random'."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a suite would run, without running it.

    Example: daybreak plan quickstart
    """
    from daybreak.plugin import load_plugins
    from daybreak.suite import load_suite, missing_requirements, plan_suite, total_bound

    registry = load_plugins()
    plan = plan_suite(load_suite(suite), registry, only=only)
    missing = missing_requirements(plan, registry)
    bound = total_bound(plan.studies, plan.benchmarks, plan.simulated)
    groups = _groups(plan)
    if as_json:
        print_json(_as_json(plan, groups, missing, bound))
        return
    typer.echo(f"{plan.name}: {plan.description}".rstrip(": "))
    columns = ["benchmark", "optimizer", "seeds", "budget", "at most"]
    print_table(groups, columns, right=("seeds", "at most"))
    for line in _summary(plan, bound):
        typer.echo(line)
    for warning in plan.warnings:
        print_message(f"warning: {warning}")
    for one in missing:
        need = one.requirement
        print_message(f"missing: {one.kind} '{one.name}' needs {need.name}: {need.detail}")
        if need.remedy:
            print_message(f"  remedy: {need.remedy}")


def _groups(plan: RunPlan) -> list[dict[str, Any]]:
    """Return a row for each benchmark and optimizer; its studies differ in their seeds only."""
    from daybreak.suite import study_bound

    grouped: dict[tuple[str, str], list[StudyPlan]] = {}
    for study in plan.studies:
        grouped.setdefault((study.benchmark, study.optimizer), []).append(study)
    rows = []
    for (benchmark, optimizer), studies in grouped.items():
        first = studies[0]
        simulated = benchmark in plan.simulated
        bound = study_bound(first, plan.benchmarks[benchmark], simulated=simulated)
        total = None if bound.seconds is None else bound.seconds * len(studies)
        rows.append(
            {
                "benchmark": benchmark,
                "optimizer": optimizer,
                "seeds": len(studies),
                "budget": _budget(first.budget),
                "at most": _at_most(bound, total),
                "component": first.component,
                "seed_list": [study.seed for study in studies],
                "evaluations": first.budget.evaluations,
                "seconds": first.budget.seconds,
                "dollars": first.budget.dollars,
                "tokens": first.budget.tokens,
                "at_most_s": total,
                "stop": _stop_json(first, plan.benchmarks[benchmark]),
                "dollars_per_hour": first.dollars_per_hour,
                "bounded_by_budget": bound.by_budget,
                "simulated": simulated,
                "options": dict(first.options),
                "optimizer_options": dict(first.optimizer_options),
            }
        )
    return rows


def _at_most(bound: TimeBound, total: float | None) -> str:
    from daybreak.suite.values import format_seconds

    if bound.simulated:
        return "simulated"
    if total is None:
        return "unbounded"
    return format_seconds(total) + ("" if bound.by_budget else " *")


def _budget(budget: Budget) -> str:
    from daybreak.suite.values import format_seconds

    parts = []
    if budget.evaluations is not None:
        parts.append(f"{budget.evaluations} evaluations")
    if budget.seconds is not None:
        parts.append(format_seconds(budget.seconds))
    if budget.dollars is not None:
        parts.append(f"${budget.dollars:g}")
    if budget.tokens is not None:
        parts.append(f"{budget.tokens} tokens")
    return ", ".join(parts)


def _summary(plan: RunPlan, bound: TimeBound) -> list[str]:
    from daybreak.suite.values import format_seconds

    lines = [
        f"{_count(len(plan.studies), 'study', 'studies')} on "
        f"{_count(len(plan.benchmarks), 'benchmark', 'benchmarks')}, "
        f"{_evaluations(plan)} evaluations at most, references not counted"
    ]
    if bound.simulated == len(plan.studies):
        lines.append("time: unknown; the clock is simulated, so only optimizers take any")
    elif bound.seconds is None:
        lines.append("time: not bounded by evaluations or seconds")
    elif bound.by_budget:
        lines.append(f"time: at most {format_seconds(bound.seconds)}, one study after another")
    else:
        lines.append(f"time: at most {format_seconds(bound.seconds)} *, one study after another")
        lines.append(
            "* worst case: bounded by evaluations alone, with every trial running into its timeout "
            "in every phase"
        )
    if 0 < bound.simulated < len(plan.studies):
        lines.append(
            f"besides, {_count(bound.simulated, 'study', 'studies')} on a simulated clock, where "
            "only optimizers take time: unknown"
        )
    lines += _training(plan)
    lines.append("references:")
    for name, benchmark in plan.benchmarks.items():
        references = [
            one.name + ("" if one.in_space else " (outside the space)")
            for one in benchmark.references
        ]
        lines.append(f"  {name}: {', '.join(references) or 'none'}")
    return lines


def _training(plan: RunPlan) -> list[str]:
    """Return a line for each training job, saying where its curve ends, and what an hour costs."""
    from daybreak.suite import describe_stop

    firsts: dict[str, StudyPlan] = {}
    for study in plan.studies:
        firsts.setdefault(study.benchmark, study)
    lines: list[str] = []
    for name, study in firsts.items():
        price = study.dollars_per_hour
        ends = describe_stop(plan.benchmarks[name], study.protocol.stop)
        parts = [part for part in (ends, "" if price is None else f"${price:g} an hour") if part]
        if parts:
            lines.append(f"  {name}: {', '.join(parts)}")
    return ["training:", *lines] if lines else []


def _stop_json(study: StudyPlan, benchmark: Benchmark) -> dict[str, Any] | None:
    """Return where a training job ends, its own target filled in; None: it is no training job."""
    if benchmark.curve is None:
        return None
    rule = study.protocol.stop
    return {
        "metric": benchmark.curve.metric,
        "target": benchmark.curve.target if rule is None else rule.target,
        "train_s": None if rule is None else rule.train_s,
        "epochs": None if rule is None else rule.epochs,
    }


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _evaluations(plan: RunPlan) -> str:
    counts = [study.budget.evaluations for study in plan.studies]
    known = sum(count for count in counts if count is not None)
    if None not in counts:
        return str(known)
    return f"{known} and as many as the time allows" if known else "as many as the time allows"


def _as_json(
    plan: RunPlan, groups: list[dict[str, Any]], missing: list[Missing], bound: TimeBound
) -> dict[str, Any]:
    return {
        "suite": plan.name,
        "suite_key": plan.suite_key,
        "path": None if plan.path is None else str(plan.path),
        "studies": len(plan.studies),
        "at_most_s": bound.seconds,
        "bounded_by_budget": bound.by_budget,
        "simulated_studies": bound.simulated,
        "groups": [
            {k: v for k, v in group.items() if k not in {"budget", "at most", "seeds", "seed_list"}}
            | {"seeds": group["seed_list"]}
            for group in groups
        ],
        "references": {
            name: [reference.name for reference in benchmark.references]
            for name, benchmark in plan.benchmarks.items()
        },
        "warnings": list(plan.warnings),
        "missing": [
            {
                "kind": one.kind,
                "name": one.name,
                "requirement": one.requirement.name,
                "detail": one.requirement.detail,
                "remedy": one.requirement.remedy,
            }
            for one in missing
        ],
    }
