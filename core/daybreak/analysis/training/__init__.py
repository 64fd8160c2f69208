"""Time to accuracy: statistics on training runs, imported entries and tuning studies.

`load_timings` reads how long runs took to their targets, `load_points` every look at their progress
metrics, `read_outcomes` what they came to. From these:

- how long, how surely: `times_to_target`, `survival`;
- over other thresholds: `times_at`, `rank_stability`;
- why: `decompose`, `factors`, `scaling`, `rates`;
- at what cost: `costs`;
- on unseen data: `generalisation`;
- as MLPerf and AlgoPerf would score it: `olympic_mean`, `check_convergence`, `clock_profiles`.

Every interval and test has a smallest sample; below it there is none, and `missing` says how many
more runs it takes.
"""

from __future__ import annotations

from daybreak.analysis.training.convergence import (
    Convergence,
    check_convergence,
    olympic_mean,
    required_runs,
)
from daybreak.analysis.training.outcomes import (
    Generalisation,
    Rates,
    generalisation,
    rates,
    read_outcomes,
)
from daybreak.analysis.training.points import CurvePoints, load_points, read_points
from daybreak.analysis.training.profiles import TAU_MAX, ClockProfile, clock_profiles
from daybreak.analysis.training.ranksum import RankSum, rank_sum
from daybreak.analysis.training.reasons import Decomposition, Factors, decompose, factors
from daybreak.analysis.training.runs import CLOCKS, Timing, Timings, load_timings, read_timings
from daybreak.analysis.training.scaling import ScalePoint, known_parameters, scaling
from daybreak.analysis.training.spending import Cost, costs
from daybreak.analysis.training.stability import RankAgreement, kendall_tau, rank_stability
from daybreak.analysis.training.survival import Survival, survival
from daybreak.analysis.training.thresholds import AtThreshold, threshold_grid, times_at
from daybreak.analysis.training.times import TimeToTarget, times_to_target, wilson

__all__ = [
    "CLOCKS",
    "TAU_MAX",
    "AtThreshold",
    "ClockProfile",
    "Convergence",
    "Cost",
    "CurvePoints",
    "Decomposition",
    "Factors",
    "Generalisation",
    "RankAgreement",
    "RankSum",
    "Rates",
    "ScalePoint",
    "Survival",
    "TimeToTarget",
    "Timing",
    "Timings",
    "check_convergence",
    "clock_profiles",
    "costs",
    "decompose",
    "factors",
    "generalisation",
    "kendall_tau",
    "known_parameters",
    "load_points",
    "load_timings",
    "olympic_mean",
    "rank_stability",
    "rank_sum",
    "rates",
    "read_outcomes",
    "read_points",
    "read_timings",
    "required_runs",
    "scaling",
    "survival",
    "threshold_grid",
    "times_at",
    "times_to_target",
    "wilson",
]
