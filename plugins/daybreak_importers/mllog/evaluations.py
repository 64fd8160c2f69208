"""The evaluations of a training run: their numbers, the epoch they belong to, and their clocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from daybreak_importers.mllog.clocks import (
    AFTERWARDS,
    Clocks,
    Progress,
    believable,
    position,
    trains,
)
from daybreak_importers.mllog.lines import Line
from daybreak_importers.text import as_text, find_number

__all__ = ["EVALUATION", "Evaluated", "Evaluation", "epoch_shift", "evaluate"]

_RESULTS = frozenset({"eval_accuracy", "eval_error"})
#: Keys of lines that have an evaluation's numbers.
EVALUATION = _RESULTS | {"eval_result"}
#: Ranks of one job log the same evaluation within this many seconds.
_RANKS_S = 60.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation: line, epochs done and step if known, seconds of both clocks since run_start
    if they can be told, and its numbers: by metric's name, or ``""`` where the log names none.
    """

    line: int
    epoch: float | None
    step: int | None
    train_s: float | None
    wall_s: float | None
    values: Mapping[str, float]


@dataclass(slots=True)
class Evaluated:
    """What came of a run's evaluations.

    Attributes:
        found: in the order of the log.
        paused_s: evaluation time that the training clock leaves out.
        concurrent: whether evaluation went on beside training.
        repeated: lines that only repeat others.
        lost: lines of evaluations without a number.
        remarks: what is odd: line (None: the run as a whole) and sentence.
    """

    found: list[Evaluation] = field(default_factory=list)
    paused_s: float = 0.0
    concurrent: bool = False
    repeated: int = 0
    lost: list[int] = field(default_factory=list)
    remarks: list[tuple[int | None, str]] = field(default_factory=list)


def evaluate(segment: list[Line], began: float | None, seconds: float | None) -> Evaluated:
    """Return the evaluations of a run with their clocks.

    The training clock of an evaluation is read when it begins. It stands still during evaluations
    unless those go on beside training.

    Args:
        segment: the run's lines.
        began: UTC seconds of run_start; None: unknown.
        seconds: length of the run, whose end is run_stop; None: unknown.
    """
    stops = any(line.key == "eval_stop" for line in segment)
    done = Evaluated(concurrent=_is_concurrent(segment, stops=stops))
    clocks = Clocks(concurrent=done.concurrent, seconds=seconds)
    progress = Progress(segment, began)
    shift = epoch_shift(segment)
    recent: dict[object, float | None] = {}
    bracketed, afterwards = True, False
    for line in segment:
        wall = None if line.time is None or began is None else line.time - began
        epoch, step = position(line)
        if line.key == "eval_start" and wall is not None:
            clocks.begin(epoch, wall)
        elif line.key == "eval_stop" or (not stops and line.key in EVALUATION):
            clocks.end(wall)
        if line.key not in EVALUATION:
            continue
        values = _values(line)
        stamp = None
        if line.key == "eval_result":
            stamp = find_number(line.metadata.get("timestamp"))
            if stamp is None or values is None:
                continue  # a summary of what eval_accuracy said
        if values is None:
            done.lost.append(line.number)
            continue
        same = (line.key, epoch, step, tuple(sorted(values.items())))
        if same in recent and _is_repeat(line.time, recent[same], named_epoch=epoch is not None):
            done.repeated += 1
            continue
        recent[same] = line.time
        train = clocks.of(epoch)
        if train is None:
            bracketed, train = False, wall
        late = wall is not None and seconds is not None and wall > seconds + 1.0
        came = progress.at(epoch, step) if late else None
        train, wall, odd = believable(train, wall, stamp, seconds, came)
        if odd == AFTERWARDS and wall is not None:
            afterwards, train = True, clocks.trained(wall)
        elif odd is not None:
            done.remarks.append((line.number, odd))
        if epoch is not None:
            epoch += shift
        done.found.append(Evaluation(line.number, epoch, step, train, wall, values))
    if not bracketed:
        done.remarks.append((None, "no eval_start: train_s contains evaluation"))
    if afterwards:
        done.remarks.append((None, AFTERWARDS))
    done.paused_s = clocks.paused_s
    return done


def epoch_shift(segment: list[Line]) -> int:
    """Return 1 if evaluations name the epoch that they follow counting from 0, else 0.

    Told by the first evaluation: if training began with an epoch 0 and the evaluation names an
    epoch that had begun, not the number of epochs that were done.
    """
    first: float | None = None
    begun: float | None = None
    for line in segment:
        if trains(line):
            epoch = find_number(line.metadata.get("first_epoch_num"))
            count = find_number(line.metadata.get("epoch_count")) or 1
            if epoch is None:
                epoch, count = position(line)[0], 1
            if epoch is not None:
                first = epoch if first is None else min(first, epoch)
                begun = epoch + count - 1
        elif line.key == "eval_start" or line.key in _RESULTS:
            epoch = position(line)[0]
            if epoch is not None:
                return int(first == 0 and begun is not None and epoch <= begun)
    return 0


def _values(line: Line) -> dict[str, float] | None:
    """Return the numbers of an evaluation, None if there is none."""
    value = line.value
    if isinstance(value, dict) and "value" in value:
        value = value["value"]
    if isinstance(value, dict):
        found = {
            str(name).lower(): number
            for name, given in value.items()
            if str(name).lower() not in ("epoch", "epoch_num", "iteration", "step", "step_num")
            and (number := find_number(given)) is not None
        }
        return found or None
    if isinstance(value, list):
        numbers = [number for given in value if (number := find_number(given)) is not None]
        return {f"#{place}": number for place, number in enumerate(numbers)} or None
    number = find_number(value)
    if number is None:
        return None
    named = as_text(line.metadata.get("metric"))
    return {named.lower() if named else "": number}


def _is_concurrent(segment: list[Line], *, stops: bool) -> bool:
    """Return whether training, or another evaluation, begins while one is under way."""
    under_way: set[float | None] = set()
    for line in segment:
        epoch = position(line)[0]
        if line.key == "eval_start":
            if under_way and epoch not in under_way:
                return True
            under_way.add(epoch)
        elif line.key == "eval_stop" or (not stops and line.key in _RESULTS):
            if epoch in under_way:
                under_way.discard(epoch)
            else:
                under_way.clear()
        elif under_way and trains(line):
            return True
    return False


def _is_repeat(time: float | None, before: float | None, *, named_epoch: bool) -> bool:
    """Return whether equal results at these times are one evaluation, logged by several ranks."""
    if time is None or before is None:
        return True
    return abs(time - before) <= (_RANKS_S if named_epoch else 0.5)
