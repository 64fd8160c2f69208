"""Studies and trials as Optuna's storages hold them, whichever storage it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["FINISHED", "FoundStudy", "FoundTrial"]

#: States of a trial that will not change any more.
FINISHED = frozenset({"COMPLETE", "PRUNED", "FAIL"})


@dataclass(slots=True)
class FoundTrial:
    """One trial.

    `params` are internal numbers (a categorical's is the index of its choice), `distributions` the
    JSON texts that tell what they mean; `values` None: there are none; times are ISO texts.
    """

    number: int
    state: str = "RUNNING"
    params: dict[str, float] = field(default_factory=dict)
    distributions: dict[str, str] = field(default_factory=dict)
    values: list[float | None] | None = None
    intermediate: dict[int, float] = field(default_factory=dict)
    user_attrs: dict[str, Any] = field(default_factory=dict)
    system_attrs: dict[str, Any] = field(default_factory=dict)
    began: str | None = None
    ended: str | None = None


@dataclass(slots=True)
class FoundStudy:
    """One study; `minimize` has one truth value for each objective."""

    name: str
    minimize: tuple[bool, ...]
    user_attrs: Mapping[str, Any] = field(default_factory=dict)
    system_attrs: Mapping[str, Any] = field(default_factory=dict)
    trials: list[FoundTrial] = field(default_factory=list)

    def objectives(self) -> list[str]:
        """Return the objectives' names: as the user gave them, else `value`, or `value_0`, ..."""
        given = self.system_attrs.get("study:metric_names")
        count = len(self.minimize)
        if (
            isinstance(given, list)
            and len(given) == count
            and all(isinstance(name, str) and name for name in given)
            and len(set(given)) == count
        ):
            return list(given)
        return ["value"] if count == 1 else [f"value_{i}" for i in range(count)]
