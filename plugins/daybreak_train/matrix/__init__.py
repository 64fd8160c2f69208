"""Stochastic gradient descent for low-rank matrices: problems, samplers, kernels, judgement.

Source: De Sa, Olukotun, Ré, "Global Convergence of Stochastic Gradient Descent for Some Non-convex
Matrix Problems", ICML 2015, arXiv 1411.1134 (the algorithm is called Alecton there).
"""

from __future__ import annotations

__all__: list[str] = []
