"""What the harness costs per trial, side by side with Optuna on the same space and target.

The target is a no-op in this process; both draw uniformly at random. Each round runs `TRIALS`
trials from nothing, so the figures are milliseconds per TRIALS trials. Daybreak always records
durably; Optuna with each of its storages.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

TRIALS = 1000
VALUES = {f"p{i}": [1, 2, 4, 8, 16, 32, 64, 128] for i in range(6)}


def _optuna(storage: Callable[[Path], Any]) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(
            storage=storage(folder), sampler=optuna.samplers.RandomSampler(seed=1)
        )
        study.optimize(
            lambda trial: float(
                sum(trial.suggest_categorical(name, values) for name, values in VALUES.items())
            ),
            n_trials=TRIALS,
        )
        assert len(study.trials) == TRIALS

    return run


def _journal(folder: Path) -> Any:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(folder / "journal.log")))


def _daybreak(folder: Path) -> None:
    from daybreak.run import run_suite

    suite = folder / "overhead.yaml"
    suite.write_text(
        f"""\
suite: 1
name: overhead
benchmarks: [noop/sum]
optimizers: [random]
seeds: [1]
budget: {{evaluations: {TRIALS}}}
protocol: {{repeats: {{min: 1, max: 1}}, warmup: 0, interleave: 0}}
"""
    )
    summary = run_suite(suite, results=folder / "results", registry=_registry())
    assert (summary.status, summary.trials) == ("finished", TRIALS)


def _registry() -> Any:
    from daybreak import Isolation, OptimizerSpec, TargetSpec
    from daybreak.plugin import Registry

    return Registry.from_specs(
        TargetSpec(
            name="noop",
            factory="noop_target:Noop",
            summary="Sums its parameters.",
            isolation=Isolation.INLINE,
        ),
        OptimizerSpec(name="random", factory="daybreak_random.sampling:Random", summary="x"),
    )


RUNNERS = {
    "daybreak, durable": _daybreak,
    "optuna, in memory": _optuna(lambda folder: None),
    "optuna, sqlite": _optuna(lambda folder: f"sqlite:///{folder}/optuna.db"),
    "optuna, journal file": _optuna(_journal),
}


@pytest.mark.benchmark(group=f"overhead of {TRIALS} no-op trials")
@pytest.mark.parametrize("runner", RUNNERS, ids=str)
def test_overhead(benchmark: BenchmarkFixture, tmp_path: Path, runner: str) -> None:
    if runner.startswith("optuna"):
        pytest.importorskip("optuna")
    numbers = itertools.count()

    def folder() -> tuple[tuple[Path], dict[str, Any]]:
        path = tmp_path / f"round{next(numbers)}"
        path.mkdir()
        return (path,), {}

    rounds = 3 if "sqlite" in runner else 7
    benchmark.pedantic(RUNNERS[runner], setup=folder, rounds=rounds, warmup_rounds=1)
