"""Figures as SVG text, drawn with matplotlib (extra `report`), readable on light and dark pages.

Each module draws one figure from arrays that the analysis floor made; none reads results itself.
"""

from __future__ import annotations

from daybreak.report.figures.beliefs import draw_beliefs
from daybreak.report.figures.ranks import draw_ranks
from daybreak.report.figures.reaching import draw_ecdf, draw_profile
from daybreak.report.figures.score import draw_score, draw_score_by_benchmark
from daybreak.report.figures.suggestions import draw_suggestion_time

__all__ = [
    "draw_beliefs",
    "draw_ecdf",
    "draw_profile",
    "draw_ranks",
    "draw_score",
    "draw_score_by_benchmark",
    "draw_suggestion_time",
]
