"""The target, held to the contract of every target."""

from __future__ import annotations

from typing import ClassVar

from daybreak.testing import TargetConformance


class TestReplay(TargetConformance):
    component_name = "replay"
    configurations: ClassVar[int] = 20


def test_listing_needs_no_option():
    from daybreak_replay.target import ReplayTarget

    names = [benchmark.name for benchmark in ReplayTarget().benchmarks()]
    assert names == [
        "table",
        "asum-gpu",
        "convolution-a100",
        "convolution-mi250x",
        "dedispersion-a100",
        "pnpoly-rtx3090",
    ]
