"""Task `hogwild`: stochastic gradient descent by threads that share a model without locks.

Niu, Recht, Re, Wright: "Hogwild!" (NIPS 2011, arXiv:1106.5730); De Sa, Zhang, Olukotun, Re: "Taming
the Wild" (NIPS 2015, arXiv:1506.06438); De Sa, Feldman, Re, Olukotun: "Understanding and Optimizing
Asynchronous Low-Precision Stochastic Gradient Descent" (ISCA 2017), whose Buckwild! adds data and
models in low precision.
"""

from __future__ import annotations

__all__: list[str] = []
