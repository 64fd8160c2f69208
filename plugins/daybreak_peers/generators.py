"""Global random generators of one's own, for libraries that draw from the process's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["Generators"]


class Generators:
    """A state of `random` and `numpy.random` that is put in place for a turn of a library.

    For libraries that draw from the global generators and take no seed, or not everywhere: within
    `in_place` the global generators are these, and ``numpy.random.default_rng()`` without a seed,
    which would ask the operating system, gives a generator seeded from here. Outside, the process
    keeps its own.

    Args:
        seed: any whole number from 0 on; NumPy's legacy generator takes its lowest 32 bits.
    """

    def __init__(self, seed: int) -> None:
        self._python = random.Random(seed).getstate()  # noqa: S311 - a search, no secret
        self._legacy = np.random.RandomState(seed % 2**32).get_state(legacy=False)
        self._seeds = np.random.SeedSequence(seed)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Have these generators for the global ones; for one thread's turn at a time."""
        python, legacy = random.getstate(), np.random.get_state(legacy=False)
        default_rng = np.random.default_rng

        def seeded(seed: Any = None) -> np.random.Generator:
            return default_rng(self._seeds.spawn(1)[0] if seed is None else seed)

        random.setstate(self._python)
        np.random.set_state(self._legacy)
        np.random.default_rng = seeded  # type: ignore[assignment]
        try:
            yield
        finally:
            np.random.default_rng = default_rng
            self._python, self._legacy = random.getstate(), np.random.get_state(legacy=False)
            random.setstate(python)
            np.random.set_state(legacy)
