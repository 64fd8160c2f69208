from __future__ import annotations
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    scale: str = "mix"  # ordinal: rank | value | mix
    derived: bool = True
    kendall: bool = True
    design: str = "maximin"  # random | maximin | median
    n0: int = 0  # 0: auto
    length_mean: float = 1.4142
    length_dim: float = 0.5
    length_sd: float = 1.732
    noise_mean: float = -6.0
    noise_sd: float = 2.0
    signal_sd: float = 1.0
    starts: int = 2
    output: str = "log"  # log | logrank | logwins | rank
    incumbent: str = "mean"  # mean | observed
    acq: str = "ei"
    feas: str = "gp"  # gp | none | rf
    feas_power: float = 1.0
    exact: int = 20000
    uniform: int = 1000
    mutate: int = 1000
    climbs: int = 5
    samples: int = 1
    beta: float = 1.0
    xi: float = 0.0
