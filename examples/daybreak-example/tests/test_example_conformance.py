"""Both components keep Daybreak's contract."""

from __future__ import annotations

from typing import ClassVar

from daybreak.testing import OptimizerConformance, TargetConformance


class TestCMatmul(TargetConformance):
    component_name = "cmatmul"
    skip_if_missing = False


class TestHillClimb(OptimizerConformance):
    component_name = "hill-climb"


class TestImpatientHillClimb(OptimizerConformance):
    component_name = "hill-climb"
    options: ClassVar = {"start": "random", "patience": 2}
