"""Training jobs as benchmarks: they stream a progress curve, and are judged by time to accuracy.

Target `train`. Each task is a published question about training: how low the precision may be
(`halp`), whether threads may race (`hogwild`), and others; `daybreak_train.tasks` lists them and
says how one is added.
"""

from __future__ import annotations

__all__: list[str] = []
