"""Task `halp`: how far training comes in 8 or 16 bits, and how fast.

Stochastic gradient descent and its variance-reduced form, in full precision, in low precision, and
with bit centring. De Sa, Leszczynski, Zhang, Marzoev, Aberger, Olukotun, Re: "High-Accuracy
Low-Precision Training", arXiv:1803.03383.
"""

from __future__ import annotations

__all__: list[str] = []
