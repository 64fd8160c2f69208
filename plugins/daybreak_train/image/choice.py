"""A configuration of the task `image` with a type for each of its values."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

from daybreak import Configuration

__all__ = ["Choice"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the parameters of `daybreak_train.image.space` are set to.

    Parameters that a space leaves out, since they have one value there, stand at their default.
    """

    optimizer: str = "sgd"
    learning_rate: float = 0.01
    batch: int = 32
    schedule: str = "constant"
    horizon: int = 10
    width: int = 16
    shift: int = 0
    threads: int = 1
    precision: str = "float32"

    @classmethod
    def of(cls, configuration: Configuration) -> Self:
        """Return the choice that `configuration` makes."""
        names = {one.name for one in fields(cls)}
        values: dict[str, Any] = {name: configuration[name] for name in names & set(configuration)}
        return cls(**values)
