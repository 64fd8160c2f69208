"""The target holds its contract, at the fidelity that needs no tools and at the one that does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from daybreak.testing import TargetConformance


class TestHpvmModel(TargetConformance):
    component_name = "hpvm"
    skip_if_missing = False


@pytest.mark.slow
class TestHpvmRtl(TargetConformance):
    """With real tools, on small designs; skipped where there are none."""

    component_name = "hpvm"
    benchmarks: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "bfs": {"fidelity": "rtl", "vertices": 8, "levels": 3, "device": "ecp5-25k"},
    }
    configurations = 1
    timeout_s = 300.0
    # of addresses, which WebAssembly reserves and does not use
    memory_bytes = 32 * 1024**3
