"""The target holds its contract, at the fidelity that needs no tools and at the one that does."""

from __future__ import annotations

from daybreak.testing import TargetConformance


class TestHpvmModel(TargetConformance):
    component_name = "hpvm"
    skip_if_missing = False
