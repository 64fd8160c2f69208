"""The roofline of this machine, measured: how fast it moves bytes and how fast it calculates.

S. Williams, A. Waterman and D. Patterson, "Roofline: An Insightful Visual Performance Model for
Multicore Architectures", CACM 52(4), 2009. `measure_ceilings` times a triad for the bandwidth of
memory and caches, and matrix products for floating point, in processes of their own.
"""

from __future__ import annotations

from daybreak.measure.roofline.ceilings import Ceiling, Roofline, measure_ceilings

__all__ = ["Ceiling", "Roofline", "measure_ceilings"]
