"""Gibbs sampling on factor graphs whose marginals are known exactly.

Sources: De Sa, Olukotun, Ré, "Ensuring Rapid Mixing and Low Bias for Asynchronous Gibbs Sampling",
ICML 2016, arXiv 1602.07415; De Sa, Zhang, Olukotun, Ré, "Rapidly Mixing Gibbs Sampling for a Class
of Factor Graphs Using Hierarchy Width", NIPS 2015, arXiv 1510.00756.
"""

from __future__ import annotations

__all__: list[str] = []
