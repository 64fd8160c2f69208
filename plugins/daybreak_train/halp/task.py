"""The benchmark `train/halp`: its space, references and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from daybreak import (
    TIME_TO_TARGET,
    Benchmark,
    Categorical,
    Configuration,
    Curve,
    Direction,
    Metric,
    Ordinal,
    Reference,
    Space,
)
from daybreak_train.tasks.protocol import Task

if TYPE_CHECKING:
    from daybreak_train.halp.workload import HalpWorkload

__all__ = ["HalpTask", "halp_space"]

_MAXIMIZE, _MINIMIZE = Direction.MAXIMIZE, Direction.MINIMIZE
_SOURCE = "De Sa et al., High-Accuracy Low-Precision Training, arXiv:1803.03383"

_TIME = Metric(TIME_TO_TARGET, "s", _MINIMIZE, "training clock at the target")
_GRADIENT = Metric(
    "gradient_norm",
    "1",
    _MINIMIZE,
    "norm of the full gradient in double precision, relative to that at the start",
)
_LOSS = Metric("loss", "1", _MINIMIZE, "mean training loss with penalty")
_GAP = Metric(
    "loss_gap", "1", _MINIMIZE, "loss above the optimum, which SciPy found; convex models only"
)
_DISTANCE = Metric(
    "distance",
    "1",
    _MINIMIZE,
    "distance to the optimum relative to its norm, at the end; convex models only",
)
_STEPS = Metric("steps_per_s", "1/s", _MAXIMIZE, "inner steps per second of the training clock")
_ACCURACY = Metric("test_accuracy", "1", _MAXIMIZE, "share of held-out samples classified right")
_ERROR = Metric(
    "test_error", "1", _MINIMIZE, "mean squared error on held-out samples over their variance"
)

_HALP, _LP_SVRG, _LP_SGD, _SVRG, _SGD = "halp", "lp-svrg", "lp-sgd", "svrg", "sgd"

#: step and mu that did well with inner = 1 when every step, inner and mu was tried, by model
_EXPERTS: Mapping[str, tuple[float, float]] = {
    "linear": (0.125, 0.03),
    "logistic": (1.0, 0.01),
    "softmax": (1.0, 0.01),
    "network": (0.5, 0.03),
}
#: a grid that reaches |gradient| / mu has to hold the optimum's largest coordinate, about three
#: times the root of the number of features away
_WIDE = 512


def halp_space() -> Space:
    """Return the search space; see docs/targets/train.md for the parameters."""
    return Space(
        [
            Categorical("algorithm", (_SGD, _SVRG, _LP_SGD, _LP_SVRG, _HALP), default=_SVRG),
            Ordinal("bits", (8, 16, 32, 64), log=True, default=32),
            Ordinal("step", tuple(2.0**-e for e in range(6, -3, -1)), log=True, default=0.125),
            Ordinal(
                "inner",
                (0.5, 1, 2, 4),
                log=True,
                default=1,
                when='algorithm in {"svrg", "lp-svrg", "halp"}',
            ),
            Ordinal(
                "mu",
                (0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
                log=True,
                default=0.03,
                when='algorithm == "halp"',
            ),
            Ordinal(
                "range",
                (1.0, 2.0, 4.0, 8.0, 16.0),
                log=True,
                default=4.0,
                when='algorithm in {"lp-sgd", "lp-svrg"}',
            ),
        ],
        ['(bits >= 32) == (algorithm in {"sgd", "svrg"})'],
    )


class HalpTask(Task):
    """Linear models and a small network, trained in full or low precision."""

    def define(self, options: Mapping[str, Any]) -> Benchmark:
        """Return the benchmark; all models share one space."""
        model, data = str(options["model"]), str(options["data"])
        space = halp_space()
        instance = f"{model}-{data}"
        if data == "synthetic":
            instance += f"-{options['samples']}x{options['features']}"
        held_out = _ERROR if model == "linear" else _ACCURACY
        convex = () if model == "network" else (_GAP, _DISTANCE)
        target = options["target"]
        return Benchmark(
            name="halp",
            instance=instance,
            space=space,
            objectives=(_TIME,) if target is not None else (_GRADIENT,),
            metrics=(
                *((_GRADIENT,) if target is not None else ()),
                _LOSS,
                *convex,
                _STEPS,
                held_out,
            ),
            references=_references(options),
            summary="SGD and SVRG in 8 to 64 bits, with and without bit centring, to a gradient norm",
            options=dict(options),
            curve=Curve(_GRADIENT.name, target, deterministic=True),
            seeded=True,
            hidden_constraints=True,
            notes=_NOTES,
        )

    def open(self, benchmark: Benchmark) -> HalpWorkload:
        """Load or draw the data and find the optimum."""
        from daybreak_train.halp.workload import HalpWorkload

        return HalpWorkload(benchmark.options)

    def rehearsal(self) -> Mapping[str, Any]:
        """Return a problem of the paper's size."""
        return {"samples": 1000, "features": 100, "epochs": 60, "target": 1e-2}


_NOTES = (
    "A step is that of one sample; step sizes are for data scaled to a mean squared norm of 1.",
    "epoch counts passes over the data: inner steps divided by the samples, and one more for each "
    "full gradient.",
    "inner is the epoch length T of SVRG in passes; mu is HALP's, range that of low-precision "
    "models; each is inactive where its algorithm is not chosen.",
    "sgd has no full gradients; the gradient norm of its events is computed outside the clock, as "
    "for all algorithms.",
    "Configurations that stall above the target end as not_reached: that is their result.",
)


def _references(options: Mapping[str, Any]) -> tuple[Reference, ...]:
    step, mu = _EXPERTS[str(options["model"])]
    if options["data"] == "synthetic" and int(options["features"]) > _WIDE:
        mu = min(mu, 0.01)
    base: Configuration = {**halp_space().default(), "step": step, "inner": 1}
    return (
        Reference(
            "default",
            {**base, "algorithm": _SVRG, "bits": 32},
            note="SVRG in single precision with a good step",
            source="the full-precision baseline of " + _SOURCE,
        ),
        Reference(
            "expert",
            {**base, "algorithm": _HALP, "bits": 8, "mu": mu},
            note="HALP with 8 bits; step and mu are good ones of this space, for this model",
            source=_SOURCE,
        ),
    )
