"""The clocks of a training run: the wall's, the training's, and when training had got how far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from daybreak_importers.mllog.lines import Line
from daybreak_importers.text import find_number

__all__ = ["AFTERWARDS", "Clocks", "Progress", "believable", "position", "trains"]

#: Keys of lines that say that training begins, or goes on.
_TRAINING = frozenset({"train_epoch", "epoch_start", "block_start"})
#: An epoch beyond this is a number of samples under the name of an epoch (BERT, say).
_MOST_EPOCHS = 10_000.0
_STEPS = ("step_num", "step", "iteration_num", "iteration")
_SAMPLES = ("samples_count", "samples")
#: What is said of evaluations that were made when the run was over.
AFTERWARDS = "evaluated after the run: the clock is when training had got so far"


def position(line: Line) -> tuple[float | None, int | None]:
    """Return the epoch and the step or number of samples that a line names."""
    given: Mapping[str, Any] = line.metadata
    if isinstance(line.value, dict):
        given = {**line.value, **given}
    epoch = find_number(given.get("epoch_num", given.get("epoch")))
    if epoch is None and line.key in ("eval_start", "eval_stop", "train_epoch"):
        epoch = None if isinstance(line.value, dict) else find_number(line.value)
    step = _whole(given, _STEPS)
    if step is None:
        step = _whole(given, _SAMPLES)
        if epoch is not None and epoch == step:
            epoch = None  # samples under both names (Llama)
    if epoch is not None and epoch > _MOST_EPOCHS:
        step, epoch = (int(epoch) if step is None and epoch < 1 << 62 else step), None
    if epoch is not None and epoch < 0:
        epoch = None
    return epoch, step


def _whole(given: Mapping[str, Any], names: Iterable[str]) -> int | None:
    for name in names:
        if name not in given:
            continue
        found = find_number(given[name])
        if found is not None and 0 <= found < 1 << 62:
            return int(found)
    return None


def trains(line: Line) -> bool:
    """Return whether a line says that training begins or goes on.

    Blocks may be of validation (Stable Diffusion).
    """
    return line.key in _TRAINING and not _validates(line)


def _validates(line: Line) -> bool:
    return isinstance(line.value, str) and line.value.lower().startswith(("valid", "eval"))


class Progress:
    """When training had got how far, in seconds since run_start."""

    def __init__(self, segment: Iterable[Line], began: float | None) -> None:
        self._epochs: dict[float, float] = {}
        self._steps: dict[int, float] = {}
        scored: dict[float, float] = {}
        saved: dict[float, float] = {}
        for line in segment:
            stamp = find_number(line.metadata.get("timestamp"))
            if line.key == "eval_result" and stamp is not None:
                iteration = find_number(line.metadata.get("iteration"))
                if iteration is not None:
                    scored[iteration] = stamp
            if line.time is None or began is None or line.time < began:
                continue
            wall = line.time - began
            if line.key == "save_model" and isinstance(line.value, dict):
                named = {str(name).lower(): value for name, value in line.value.items()}
                iteration = find_number(named.get("iteration"))
                if iteration is not None:
                    saved.setdefault(iteration, wall)
            elif line.key in ("epoch_stop", "block_stop") and not _validates(line):
                epoch, step = position(line)
                if epoch is not None and line.key == "epoch_stop":
                    self._epochs.setdefault(epoch, wall)
                if step is not None:
                    self._steps.setdefault(step, wall)
        # the submitter's own number before that of the saved model before the epoch's end
        self._epochs |= saved | scored

    def at(self, epoch: float | None, step: int | None) -> float | None:
        """Return when training had come to an epoch, as logged, or to at least a step; None: the
        log does not say.
        """
        if epoch is not None and epoch in self._epochs:
            return self._epochs[epoch]
        if step is None:
            return None
        reached = [other for other in self._steps if other >= step]
        return self._steps[min(reached)] if reached else None


class Clocks:
    """The training clock, in seconds of the wall's since run_start less evaluation.

    Args:
        concurrent: evaluation goes on beside training: nothing is taken away.
        seconds: length of the run; what is evaluated after it takes nothing away.
    """

    def __init__(self, *, concurrent: bool, seconds: float | None) -> None:
        self._concurrent = concurrent
        self._limit = float("inf") if seconds is None else seconds
        self._pauses: list[tuple[float, float]] = []
        self.paused_s = 0.0
        # begun evaluations that no result has been seen of: epoch as logged, training clock
        self._waiting: list[tuple[float | None, float]] = []
        self._latest: float | None = None
        self._open_since: float | None = None

    def begin(self, epoch: float | None, wall: float) -> None:
        """An evaluation begins; another rank may say so again."""
        if self._open_since is None:
            self._open_since = wall
        elif not self._concurrent or any(epoch == other for other, _ in self._waiting):
            return
        self._waiting.append((epoch, max(0.0, wall - self.paused_s)))

    def end(self, wall: float | None) -> None:
        """An evaluation ends."""
        if self._open_since is not None and wall is not None and not self._concurrent:
            begun, ended = max(0.0, self._open_since), min(wall, self._limit)
            if ended > begun:
                self._pauses.append((begun, ended))
                self.paused_s += ended - begun
        self._open_since = None

    def of(self, epoch: float | None) -> float | None:
        """Return the training clock when the evaluation with this result began; None: unknown.

        Where epochs are numbered wrongly, the one that has waited longest is taken.
        """
        if self._waiting:
            places = [i for i, (other, _) in enumerate(self._waiting) if other == epoch]
            self._latest = self._waiting.pop(places[0] if places else 0)[1]
        return self._latest

    def trained(self, wall: float) -> float:
        """Return the training clock at a time in the past."""
        return wall - sum(max(0.0, min(end, wall) - begun) for begun, end in self._pauses)


def believable(
    train: float | None,
    wall: float | None,
    stamp: float | None,
    seconds: float | None,
    came: float | None,
) -> tuple[float | None, float | None, str | None]:
    """Return both clocks of an evaluation as far as they can be true, and what is odd about them.

    Args:
        train: training clock when it began.
        wall: when its result was logged, in seconds since run_start.
        stamp: the moment that it names itself, for evaluations made afterwards.
        seconds: length of the run.
        came: when training had come to what was evaluated; a training clock where the two differ
            is for the caller to find.
    """
    if stamp is not None and 0 <= stamp <= (stamp if seconds is None else seconds) + 1.0:
        return stamp, stamp, None
    if wall is None:
        return None, None, "no time: the evaluation has no clock"
    if wall < 0:
        return None, None, "negative time: before run_start, so without a clock"
    if seconds is not None and wall > seconds + 1.0:
        if came is not None and 0 <= came <= seconds + 1.0:
            return came, came, AFTERWARDS
        return None, None, "after run_stop: the evaluation has no clock"
    return train, wall, None
