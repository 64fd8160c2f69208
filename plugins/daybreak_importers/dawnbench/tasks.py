"""The tasks of DAWNBench, and the benchmarks that they become.

Rules: the repository's README. Accuracies are stored as fractions, hours as seconds; evaluation and
checkpoints are no part of the published hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from daybreak_importers.text import slug

__all__ = ["METRICS", "Task", "task_of"]

#: Column of a TSV or key of a JSON, in lower case without punctuation -> metric.
METRICS: Mapping[str, str] = {
    "top1accuracy": "top1_accuracy",
    "top1": "top1_accuracy",
    "top1acc": "top1_accuracy",
    "accuracy": "top1_accuracy",
    "testaccuracy": "top1_accuracy",
    "top5accuracy": "top5_accuracy",
    "top5": "top5_accuracy",
    "top5acc": "top5_accuracy",
    "f1score": "f1",
    "f1": "f1",
}

_SUMMARIES = {
    "top1_accuracy": "share of test examples classified right",
    "top5_accuracy": "share of test examples whose class is among the five most likely",
    "f1": "F1 score on the development set",
}


@dataclass(frozen=True, slots=True)
class Task:
    """A task: its metric and the value to reach; a task that is not known has neither.

    `others` are further thresholds on the same metric, by name.
    """

    name: str
    metric: str | None = None
    target: float | None = None
    others: tuple[tuple[str, float], ...] = ()

    @property
    def thresholds(self) -> list[dict[str, Any]]:
        """The further thresholds, as a study records them."""
        return [
            {"name": name, "metric": self.metric, "value": value, "unit": "1"}
            for name, value in self.others
        ]

    def training(self) -> dict[str, Any]:
        """Return the benchmark's row of training runs."""
        metric = self.metric or "top1_accuracy"
        return {
            "benchmark": f"dawnbench/{self.name}:train",
            "target": "dawnbench",
            "name": self.name,
            "instance": "train",
            "summary": f"DAWNBench: train on {self.name}",
            "objectives": [
                {
                    "name": "time_to_target",
                    "unit": "s",
                    "direction": "minimize",
                    "summary": "published training hours at the first row at or beyond the target",
                }
            ],
            "metrics": self._metrics(),
            "curve": {"metric": metric, "target": self.target},
            "notes": ["imported: hours as published, evaluation and checkpoints excluded by rule"],
        }

    def inference(self) -> dict[str, Any]:
        """Return the benchmark's row of inference entries."""
        return {
            "benchmark": f"dawnbench/{self.name}:inference",
            "target": "dawnbench",
            "name": self.name,
            "instance": "inference",
            "summary": f"DAWNBench: inference on {self.name}, one example at a time",
            "objectives": [
                {
                    "name": "latency",
                    "unit": "ms",
                    "direction": "minimize",
                    "summary": "published time to answer for one example",
                }
            ],
            "metrics": [
                {
                    "name": "cost",
                    "unit": "USD",
                    "direction": "minimize",
                    "summary": "published price of one answer",
                },
                *self._metrics(),
            ],
            "notes": ["imported: one published number for each entry, no repetitions"],
        }

    def _metrics(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "unit": "1", "direction": "maximize", "summary": summary}
            for name, summary in _SUMMARIES.items()
            if (name == "f1") == (self.metric == "f1") or self.metric is None
        ]


def task_of(folder: str, squad_target: float) -> Task:
    """Return the task that a folder is called after."""
    name = slug(folder)
    match name:
        case "cifar10" | "cifar-10":
            return Task("cifar10", "top1_accuracy", 0.94)
        case "imagenet":
            return Task("imagenet", "top5_accuracy", 0.93)
        case "squad":
            published = (("f1-75", 0.75), ("f1-73", 0.73))
            return Task("squad", "f1", squad_target, published)
        case _:
            return Task(name)
