"""The default preset keeps an optimizer's contract."""

from __future__ import annotations

import pytest

from daybreak.testing import OptimizerConformance


@pytest.mark.slow
class TestDefault(OptimizerConformance):
    component_name = "baco"
    exhausts = True
