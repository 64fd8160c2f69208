"""An optimizer that does nothing with the heavy libraries that it imports."""

from __future__ import annotations

import scipy.optimize
import scipy.stats
import sklearn.ensemble
import sklearn.gaussian_process

from daybreak_random.sampling import Random

__all__ = ["Learning"]

#: named, so that nobody removes the imports, which are what is measured
LIBRARIES = (scipy.optimize, scipy.stats, sklearn.ensemble, sklearn.gaussian_process)


class Learning(Random):
    """As its base."""
