"""Earlier trials that an optimizer is given before its first proposal (`Problem.history`).

They are chosen once, when a study first needs them, and recorded with the run: a resumed study gets
the very same, whatever has been added to the results since. Studies of one benchmark that ask for
the same get the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from daybreak.errors import SpaceError, UserError, nearest
from daybreak.records import HistoryChoice, Sample, StudyPlan, Trial
from daybreak.run.keys import canonical, digest
from daybreak.store.codec import decode_trial, encode_trial
from daybreak.store.earlier import EarlierBenchmark, EarlierTrials, earlier_trials
from daybreak.suite.selection import matches_benchmark

if TYPE_CHECKING:
    from daybreak.plugin.contracts import Benchmark

__all__ = ["Histories", "History"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class History:
    """Earlier trials of the study's own benchmark, and of related ones by name; best first.

    `summary` is what the study's row says of it: `digest`, numbers of trials, and how many
    configurations were left out because they are not in this space.
    """

    trials: tuple[Trial, ...] = ()
    related: Mapping[str, tuple[Trial, ...]] = field(default_factory=dict)
    summary: Mapping[str, Any] | None = None


class Histories:
    """The histories of one run.

    Args:
        results: the results folder.
        run_id: the present run, which is no part of any history.
        recorded: what an earlier attempt at the run recorded.
        record: takes the row of a history that is new.
    """

    def __init__(
        self,
        results: Path,
        run_id: str,
        recorded: Sequence[Mapping[str, Any]],
        record: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._results = results
        self._run_id = run_id
        self._record = record
        self._known = {canonical([row["benchmark"], row["choice"]]): row for row in recorded}

    def of(self, plan: StudyPlan, benchmark: Benchmark) -> History:
        """Return the history of a study; an empty one if the suite asks for none.

        Raises:
            StoreError: the results cannot be read.
            UserError: the choice fits nothing that was ever recorded.
        """
        if plan.history is None:
            return History()
        choice = asdict(plan.history)
        key = canonical([plan.benchmark, choice])
        row = self._known.get(key)
        if row is None:
            row = {
                "benchmark": plan.benchmark,
                "choice": choice,
                **self._chosen(plan.benchmark, plan.history, benchmark),
            }
            self._known[key] = row
            self._record(row)
        related = {name: _decoded(trials) for name, trials in row["related"].items()}
        trials = _decoded(row["trials"])
        return History(
            trials,
            related,
            {
                "digest": row["digest"],
                "trials": len(trials),
                "related": {name: len(found) for name, found in related.items()},
                "left_out": row["left_out"],
            },
        )

    def _chosen(self, name: str, choice: HistoryChoice, benchmark: Benchmark) -> dict[str, Any]:
        with earlier_trials(self._results) as earlier:
            sources = self._sources(earlier, name, choice, benchmark)
            optimizers = earlier.optimizers([s for found in sources.values() for s in found])
            wanted = sorted(o for o in optimizers if _fits(choice.optimizers, o))
            if sources and optimizers and not wanted:
                raise _nothing(name, "optimizers", choice.optimizers, sorted(optimizers))
            left_out = 0
            trials: dict[str, list[dict[str, Any]]] = {}
            for source, found in sources.items():
                numbered = earlier.trials(found, wanted)
                fitting = [(i, fit) for i, t in numbered if (fit := _fitted(t, benchmark))]
                left_out += len(numbered) - len(fitting)
                thinned = _thinned(fitting, choice.most)
                samples = earlier.samples([i for i, _ in thinned])
                trials[source] = [
                    _encoded(trial, number, samples.get(i, ()))
                    for number, (i, trial) in enumerate(thinned)
                ]
        own = trials.pop(name, [])
        related = {source: found for source, found in trials.items() if found}
        return {
            "trials": own,
            "related": related,
            "digest": digest([own, related])[:16],
            "left_out": left_out,
        }

    def _sources(
        self, earlier: EarlierTrials, name: str, choice: HistoryChoice, benchmark: Benchmark
    ) -> dict[str, list[EarlierBenchmark]]:
        """Return the comparable benchmarks by name, the study's own first."""
        everything = [b for b in earlier.benchmarks() if b.run_id != self._run_id]
        runs = [
            b for b in everything if _fits(choice.runs, b.run_id) or _fits(choice.runs, b.suite)
        ]
        if everything and not runs:
            known = sorted({w for b in everything for w in (b.run_id, b.suite)})
            raise _nothing(name, "runs", choice.runs, known)
        patterns = choice.benchmarks
        if patterns:
            named = [b for b in runs if any(matches_benchmark(p, b.benchmark) for p in patterns)]
            if runs and not named:
                raise _nothing(name, "benchmarks", patterns, sorted({b.benchmark for b in runs}))
        else:
            named = [b for b in runs if b.benchmark == name]
        parameters = frozenset(benchmark.space.names)
        objectives = tuple((m.name, m.unit, str(m.direction)) for m in benchmark.objectives)
        found: dict[str, list[EarlierBenchmark]] = {}
        for one in sorted(named, key=lambda b: (b.benchmark != name, b.benchmark)):
            if one.parameters == parameters and one.objectives == objectives:
                found.setdefault(one.benchmark, []).append(one)
        return found


def _fits(patterns: Sequence[str], name: str) -> bool:
    return not patterns or any(name == p or fnmatchcase(name, p) for p in patterns)


def _fitted(trial: Trial, benchmark: Benchmark) -> Trial | None:
    """Return the trial with its configuration as this space has it; None if it is not in it."""
    space = benchmark.space
    try:
        configuration = space.normalise(trial.configuration)
    except SpaceError:
        return None
    return replace(trial, configuration=configuration) if configuration in space else None


def _thinned(items: list[_T], most: int) -> list[_T]:
    """Return at most `most` of them, evenly spaced from the first: failures and bad ones, too."""
    if len(items) <= most:
        return items
    return [items[i * len(items) // most] for i in range(most)]


def _encoded(trial: Trial, number: int, samples: tuple[Sample, ...]) -> dict[str, Any]:
    outcome = replace(trial.outcome, samples=samples)
    return encode_trial("", replace(trial, number=number, outcome=outcome))


def _decoded(trials: Sequence[Mapping[str, Any]]) -> tuple[Trial, ...]:
    return tuple(decode_trial(trial) for trial in trials)


def _nothing(benchmark: str, what: str, patterns: Sequence[str], known: Sequence[str]) -> UserError:
    return UserError(
        f"the history for {benchmark} fits nothing in the results: {what}: {', '.join(patterns)}",
        field=f"optimizers: history.{what}",
        expected=f"one of {', '.join(known[:8])}" + (", ..." if len(known) > 8 else ""),
        nearest=nearest(patterns[0], known),
    )
