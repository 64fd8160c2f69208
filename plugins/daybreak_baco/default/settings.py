from __future__ import annotations
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    scale: str = "mix"  # ordinal: rank | value | mix
    derived: bool = True
    kendall: bool = True
    inferred: bool = True
    design: str = "median"  # random | maximin | median
    n0: int = 0  # 0: auto
    length_mean: float = 0.0
    length_dim: float = 0.5
    length_sd: float = 0.7
    noise_mean: float = -3.5
    noise_sd: float = 1.0
    signal_sd: float = 1.0
    starts: int = 1
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
    measured: bool = False
    impute: float = 0.0
    fnoise: float = -2.0
    fprior: bool = False
    fshift: float = 0.3
    ftemp: float = 0.15
    top: int = 5
    pool: int = 300
    steps: int = 40
    wins: float = 2.0
    kernel: str = "m52"
    greedy: int = 0
    forest: float = 0.0
    width: float = 1.0
    replace: bool = False
