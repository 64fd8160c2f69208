"""Checking the events of a progress curve: their numbers, and clocks that do not run back."""

from __future__ import annotations

import math
import numbers
from typing import Any

from daybreak.errors import TrialFailed
from daybreak.records import Event

__all__ = ["LARGEST_STEP", "EventChecker"]

#: A step beyond this does not fit the database.
LARGEST_STEP = 2**63 - 1
#: By how much of itself, and by how many seconds, a training clock may be ahead of the wall clock:
#: the two may be read one after the other.
_AHEAD = 1e-3


class EventChecker:
    """Makes the numbers of a stream's events plain ones and checks them, one after another.

    Within a metric neither clock runs back, nor do steps and epochs; the training clock is never
    ahead of the wall clock. Events of several metrics at one look may come in any order.
    """

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}

    def checked(self, event: Event, seq: int) -> Event:
        """Return the event with plain numbers, as number `seq` of the stream.

        Raises:
            TrialFailed: something is no number, a clock runs back, or training is ahead of the
                wall.
        """
        value = event.value
        if type(value) is not float:
            value = _float(value, "value", event)
        step, epoch, train_s, wall_s = event.step, event.epoch, event.train_s, event.wall_s
        if step is not None and type(step) is not int:
            step = _int(step, event)
        if epoch is not None and type(epoch) is not float:
            epoch = _float(epoch, "epoch", event)
        if train_s is not None and type(train_s) is not float:
            train_s = _float(train_s, "train_s", event)
        if wall_s is not None and type(wall_s) is not float:
            wall_s = _float(wall_s, "wall_s", event)
        found = Event(event.metric, value, seq, step, epoch, train_s, wall_s)
        place = self._places.get(event.metric)
        if place is None:
            place = self._places[event.metric] = _Place()
        place.move(found)
        return found


class _Place:
    """How far the events of one metric have come."""

    __slots__ = ("_epoch", "_step", "_train_s", "_wall_s")

    def __init__(self) -> None:
        self._step = 0
        self._epoch = self._train_s = self._wall_s = 0.0

    def move(self, event: Event) -> None:
        step, epoch, train_s, wall_s = event.step, event.epoch, event.train_s, event.wall_s
        if step is not None:
            if not self._step <= step <= LARGEST_STEP:
                raise _ran_back(event, "step", step, self._step, "")
            self._step = step
        if epoch is not None:
            if not self._epoch <= epoch < math.inf:
                raise _ran_back(event, "epoch", epoch, self._epoch, "")
            self._epoch = epoch
        if train_s is not None:
            if not self._train_s <= train_s < math.inf:
                raise _ran_back(event, "training clock", train_s, self._train_s, "s")
            self._train_s = train_s
        if wall_s is not None:
            if not self._wall_s <= wall_s < math.inf:
                raise _ran_back(event, "wall clock", wall_s, self._wall_s, "s")
            self._wall_s = wall_s
            if train_s is not None and train_s > wall_s + _AHEAD * (1.0 + wall_s):
                raise TrialFailed(
                    f"at event {event.seq} the training clock ({train_s:g} s) is ahead of the "
                    f"wall clock ({wall_s:g} s)"
                )


def _ran_back(event: Event, what: str, now: float, before: float, unit: str) -> TrialFailed:
    if now < before:
        text = f"ran back from {before:.17g} to {now:.17g} {unit}".rstrip()
    else:
        text = f"is {now}, no number that can be recorded"
    return TrialFailed(f"at event {event.seq} of '{event.metric}' the {what} {text}")


def _float(value: Any, what: str, event: Event) -> float:
    number = value
    try:
        if not isinstance(value, numbers.Real) and hasattr(value, "item"):
            number = value.item()  # an array of one number, and the like
        if isinstance(number, bool | str):
            raise TypeError
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
    except (TypeError, ValueError):
        raise TrialFailed(
            f"the {what} of an event of '{event.metric}' is {value!r:.100}, no number"
        ) from None


def _int(value: Any, event: Event) -> int:
    number = _float(value, "step", event)
    if not number.is_integer():
        raise TrialFailed(f"the step of an event of '{event.metric}' is {value!r}, no whole number")
    return int(value)
