"""What MLPerf would say: the olympic mean, and whether an entry converges as its reference does.

MLPerf Training scores a fixed number of runs by their mean after the best and the worst are dropped
(P. Mattson and others, "MLPerf training benchmark", MLSys 2020, section 3.2.2). An entry that needs
fewer epochs than the reference has changed more than the speed: a one-sided t-test on the epochs to
converge, at 5 %, decides whether it may; if it passes but is quicker than the reference, its time
is scaled by the ratio (mlcommons/training_policies, "Reference convergence points"; the reference
checker of mlcommons/logging assumes the reference's deviation for both and drops the extremes of
both before anything else, and so does this).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from daybreak.analysis.studentt import t_cdf, t_quantile

__all__ = ["Convergence", "check_convergence", "olympic_mean", "required_runs"]

#: runs that the rules ask for, by a word of the benchmark's name
_RUNS = {
    "bert": 10,
    "cosmoflow": 10,
    "deepcam": 5,
    "dlrm": 5,
    "gnmt": 10,
    "gnn": 10,
    "gpt3": 3,
    "llama2_70b_lora": 10,
    "maskrcnn": 5,
    "minigo": 10,
    "ncf": 10,
    "oc20": 5,
    "openfold": 10,
    "resnet": 5,
    "retinanet": 5,
    "rgat": 10,
    "rnnt": 10,
    "ssd": 5,
    "stable_diffusion": 10,
    "transformer": 10,
    "unet3d": 40,
}
#: of any other benchmark
_USUAL = 5


@dataclass(frozen=True, slots=True)
class Convergence:
    """What the check found.

    Attributes:
        runs: runs of the entry and of the reference.
        mean: the entry's olympic mean of epochs; None with too few runs or too many misses.
        reference: the reference's.
        least: the smallest mean that passes.
        p: one-sided p-value of needing so few epochs; None if refused.
        factor: what times are to be multiplied by: above 1 where it converges quicker and passes;
            None if it fails or was refused.
        verdict: `passes`, `fails`, or `refused`.
        reason: one sentence.
    """

    runs: tuple[int, int]
    mean: float | None
    reference: float | None
    least: float | None
    p: float | None
    factor: float | None
    verdict: str
    reason: str


def required_runs(benchmark: str) -> int:
    """Return how many runs MLPerf's rules ask for on a benchmark; five where they name none."""
    name = benchmark.lower().replace("-", "_")
    fitting = [word for word in _RUNS if word in name]
    return _RUNS[max(fitting, key=len)] if fitting else _USUAL


def _rejected(runs: int) -> int:
    """Return how many runs are dropped at either end: one, of forty four."""
    return max(1, runs // 10)


def olympic_mean(values: Sequence[float], rejected: int = 1) -> float | None:
    """Return the mean without the `rejected` smallest and largest values.

    A miss is an infinite value: as many as are dropped are forgiven.

    Returns:
        None with nothing left; inf with more misses.
    """
    kept = sorted(values)[rejected : len(values) - rejected]
    return math.fsum(kept) / len(kept) if kept else None


def check_convergence(
    epochs: Sequence[float],
    reference: Sequence[float],
    *,
    required: int = _USUAL,
    level: float = 0.05,
) -> Convergence:
    """Check whether an entry needs suspiciously few epochs.

    Args:
        epochs: epochs to target of the entry's runs; inf for a miss.
        reference: those of the reference's runs, of which there must be twice as many.
        required: runs that the rules ask for.
        level: significance level.

    Raises:
        ValueError: fewer than three runs are asked for.
    """
    if required < 3:
        raise ValueError("the olympic mean needs three runs at least")
    rejected = _rejected(required)
    runs = (len(epochs), len(reference))
    mean = olympic_mean(epochs, rejected)
    centre = olympic_mean(reference, rejected)
    lacking = [
        f"{needed - n} more runs of the {who}"
        for who, n, needed in (
            ("entry", runs[0], required),
            ("reference", runs[1], 2 * required),
        )
        if n < needed
    ]
    refused = ""
    if lacking:
        refused = f"needs {' and '.join(lacking)}"
    elif mean is None or math.isinf(mean):
        refused = f"more than {rejected} runs missed the target"
    elif centre is None or math.isinf(centre):
        refused = f"more than {rejected} runs of the reference missed the target"
    if refused or mean is None or centre is None:
        known = [None if x is None or math.isinf(x) else x for x in (mean, centre)]
        return Convergence(runs, known[0], known[1], None, None, None, "refused", refused)
    kept = sorted(reference)[rejected : len(reference) - rejected]
    deviation = math.sqrt(math.fsum((x - centre) ** 2 for x in kept) / len(kept))
    n = len(epochs) - 2 * rejected
    freedom = n + len(kept) - 2
    error = deviation * math.sqrt(1 / n + 1 / len(kept))
    least = centre - t_quantile(1 - level, freedom) * error
    p = t_cdf((mean - centre) / error, freedom) if error else float(mean >= centre)
    if mean < least:
        reason = f"below {least:.4g}, the least mean that passes"
        return Convergence(runs, mean, centre, least, p, None, "fails", reason)
    factor = max(1.0, centre / mean)
    if factor > 1:
        reason = f"quicker than the reference: times are scaled by {factor:.4g}"
    else:
        reason = "needs no fewer than the reference"
    return Convergence(runs, mean, centre, least, p, factor, "passes", reason)
