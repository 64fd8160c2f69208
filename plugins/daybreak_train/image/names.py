"""Names of optimizers and schedules: spaces list them without loading NumPy."""

from __future__ import annotations

__all__ = ["OPTIMIZERS", "SCHEDULES"]

#: update rules, see `daybreak_train.image.updates`
OPTIMIZERS = ("sgd", "momentum", "adam")
#: learning-rate schedules, see `daybreak_train.image.schedules`
SCHEDULES = ("constant", "cosine", "triangle")
