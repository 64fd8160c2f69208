"""Answers of `daybreak analyze`: one table each, made from the studies of one run.

`QUESTIONS` lists what can be asked, of searches and of training runs (`GROUPS`); `answer` asks it; `standing` is what a run prints at its end.
"""

from __future__ import annotations

from daybreak.analysis.answers.catalogue import GROUPS, QUESTIONS, Question, answer, standing
from daybreak.analysis.answers.shape import Answer, Asked, Estimate

__all__ = ["GROUPS", "QUESTIONS", "Answer", "Asked", "Estimate", "Question", "answer", "standing"]
