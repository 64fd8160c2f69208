"""The conformance kit on the target `train`, with its cheap options, in real workers."""

from __future__ import annotations

import pytest

from daybreak.testing import TargetConformance

pytestmark = pytest.mark.slow  # every check compiles the kernels anew


class TestTrain(TargetConformance):
    component_name = "train"
    configurations = 2
