"""`train/matrix-sgd`: the leading subspace of a matrix that is only seen in samples.

Source: De Sa, Olukotun, Ré, "Global Convergence of Stochastic Gradient Descent for Some Non-convex
Matrix Problems", ICML 2015, arXiv 1411.1134.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from daybreak import (
    TIME_TO_TARGET,
    Benchmark,
    Categorical,
    Curve,
    Direction,
    Metric,
    Ordinal,
    Real,
    Reference,
    Space,
)
from daybreak_train.matrix.options import DIGITS_SIZE
from daybreak_train.tasks.protocol import Task
from daybreak_train.team import thread_choices

if TYPE_CHECKING:
    from daybreak_train.matrix.workload import MatrixWorkload

__all__ = ["MatrixTask"]

_SOURCE = "De Sa, Olukotun, Ré, ICML 2015, arXiv 1411.1134"

_TIME = Metric(TIME_TO_TARGET, "s", Direction.MINIMIZE, "training clock at the target")
_METRICS = (
    Metric(
        "misalignment",
        "1",
        Direction.MINIMIZE,
        "squared sine of the largest angle to the exact leading subspace",
    ),
    Metric(
        "recovery_error",
        "1",
        Direction.MINIMIZE,
        "distance of the recovered matrix from the best one of its rank, relative, Frobenius norm",
    ),
    Metric("throughput", "1/s", Direction.MAXIMIZE, "samples per second of the training clock"),
)


class MatrixTask(Task):
    """Low-rank recovery by stochastic gradient descent from a random start."""

    def define(self, options: Mapping[str, Any]) -> Benchmark:
        """Return the benchmark for `options`."""
        space = _space(options)
        return Benchmark(
            name="matrix-sgd",
            space=space,
            objectives=(_TIME,),
            instance=_instance(options),
            references=_references(space, options),
            metrics=_METRICS,
            summary="leading subspace of a matrix seen in samples: SGD from a random start (Alecton)",
            options=dict(options),
            hidden_constraints=True,
            notes=(
                "An epoch is n samples. Steps are in units of 1/n: the step of the rule is step/n.",
                "Large steps end above the target (their noise floor) or diverge.",
                "With several threads the model is shared without locks, so that a seed does not "
                "repeat a run exactly.",
            ),
            curve=Curve(
                "misalignment",
                options["target"],
                deterministic=thread_choices(options["threads"]) == (1,),
            ),
            seeded=True,
        )

    def open(self, benchmark: Benchmark) -> MatrixWorkload:
        """Compute the matrix and its exact subspace."""
        from daybreak_train.matrix.workload import MatrixWorkload

        return MatrixWorkload(benchmark.options)

    def rehearsal(self) -> Mapping[str, Any]:
        """Return a small matrix."""
        return {"size": 60, "rank": 2, "target": 0.05, "epochs": 5_000}


def _instance(options: Mapping[str, Any]) -> str:
    data = "digits" if options["data"] == "digits" else f"n{options['size']}"
    label = f"{options['sampler']}-{data}-rank{options['rank']}"
    if options["observed"] < 1.0:
        label += f"-seen{options['observed']:g}"
    return label


def _space(options: Mapping[str, Any]) -> Space:
    size = DIGITS_SIZE if options["data"] == "digits" else options["size"]
    rank = options["rank"]
    most = min(2 * rank, size) - rank
    integers = options["sampler"] == "entries"
    parameters = [
        Real("step", 1e-3, 4.0, log=True, default=0.003),
        Ordinal("decay", (0.0, 0.05, 0.1, 0.2, 0.5), default=0.0),
        Ordinal("extra", sorted({0, 1, rank, *range(2, rank, 2)} & set(range(most + 1))), default=0),
        Categorical("rule", ("alecton", "residual"), default="alecton"),
        Categorical(
            "precision", ("float64", "float32", "int16") if integers else ("float64", "float32"),
            default="float64",
        ),
        Ordinal("threads", thread_choices(options["threads"]), log=True, default=1),
    ]  # fmt: skip
    if not integers:
        return Space(parameters, name="matrix-sgd")
    rounding = Categorical(
        "rounding",
        ("stochastic", "nearest"),
        default="stochastic",
        when='precision == "int16"',
    )
    return Space(
        [*parameters, rounding],
        ['precision != "int16" or rule == "alecton"'],
        name="matrix-sgd",
    )


def _references(space: Space, options: Mapping[str, Any]) -> tuple[Reference, ...]:
    default = space.default()
    expert = {
        **default,
        "step": 0.2,
        "decay": 0.2,
        "precision": "float32",
        "threads": max(thread_choices(options["threads"])),
    }
    return (
        Reference(
            "default",
            default,
            note="constant step, full precision, one thread",
            source=_SOURCE,
        ),
        Reference(
            "expert",
            expert,
            note="large steps that fall as 1/k once they are small enough, all processors",
        ),
    )
