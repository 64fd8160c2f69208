"""Update rules on flat parameter vectors: what the NumPy back end applies, and a check of others."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

__all__ = ["BETA1", "BETA2", "EPSILON", "MOMENTUM", "Rule", "make_rule"]

MOMENTUM = 0.9
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

Vector = NDArray[np.floating]


class Rule(ABC):
    """An update rule with its state; one for each training run."""

    @abstractmethod
    def apply(self, parameters: Vector, gradient: Vector, rate: float) -> None:
        """Change `parameters`, shape (n,), in place; `gradient` may be overwritten."""


class Plain(Rule):
    """p <- p - rate g."""

    def apply(self, parameters: Vector, gradient: Vector, rate: float) -> None:
        """Take one step."""
        gradient *= rate
        parameters -= gradient


class Nesterov(Rule):
    """v <- m v + g; p <- p - rate (g + m v), m = `MOMENTUM`.

    Nesterov's accelerated gradient as in Sutskever et al., "On the importance of initialization and
    momentum in deep learning", 2013, written for the shifted variable, as PyTorch does.
    """

    def __init__(self, like: Vector) -> None:
        self._velocity = np.zeros_like(like)

    def apply(self, parameters: Vector, gradient: Vector, rate: float) -> None:
        """Take one step."""
        self._velocity *= MOMENTUM
        self._velocity += gradient
        gradient += MOMENTUM * self._velocity
        gradient *= rate
        parameters -= gradient


class Adam(Rule):
    """Kingma, Ba: "Adam: a method for stochastic optimization", 2015, algorithm 1."""

    def __init__(self, like: Vector) -> None:
        self._first = np.zeros_like(like)
        self._second = np.zeros_like(like)
        self._steps = 0

    def apply(self, parameters: Vector, gradient: Vector, rate: float) -> None:
        """Take one step."""
        self._steps += 1
        self._first *= BETA1
        self._first += (1 - BETA1) * gradient
        self._second *= BETA2
        gradient *= gradient
        gradient *= 1 - BETA2
        self._second += gradient
        scale = np.sqrt(self._second / (1 - BETA2**self._steps))
        scale += EPSILON
        parameters -= (rate / (1 - BETA1**self._steps)) * self._first / scale


def make_rule(name: str, like: Vector) -> Rule:
    """Return the rule called `name`, one of `daybreak_train.image.names.OPTIMIZERS`, with fresh state of the type of `like`."""
    if name == "sgd":
        return Plain()
    if name == "momentum":
        return Nesterov(like)
    if name == "adam":
        return Adam(like)
    raise ValueError(f"no optimizer is called {name!r}")
