"""Energy of a trial's measuring phase, as the machine's own counters tell it.

Stored as one sample of the metric `energy` in J, and the fact ``energy``: which ``counters`` were
read, over how many ``seconds``. The counters know no processes: whatever the machine did meanwhile
is in it, its idle power too; warm-up, repetitions and evaluations all count. Where the machine has
no counters there is neither sample nor fact. Where it has them and this reading is worth nothing,
the fact says why (``absent``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

from daybreak.measure.counters import Counter, Found, find_counters, find_rapl, has_nvidia_driver
from daybreak.records import Metric

__all__ = ["ENERGY", "EnergyMeter", "energy_metric"]

#: The metric that every benchmark has where the machine counts energy.
ENERGY = Metric(
    "energy", "J", summary="energy of the measuring phase, of all that the machine did meanwhile"
)

#: Seconds after which the counters are read in between, lest one goes round twice unseen.
_LOOK_EVERY_S = 30.0


def energy_metric(devices: Iterable[str]) -> Metric | None:
    """Return `ENERGY` if trials on `devices` can be expected to have it here, else None.

    Cheap: a GPU's counter is expected where there is a driver, without asking it.
    """
    occupied = set(devices)
    if "gpu" in occupied:
        return ENERGY if has_nvidia_driver() else None
    return ENERGY if "cpu" in occupied and find_rapl().counters else None


class EnergyMeter:
    """Reads the counters of `devices` around one measuring phase.

    Made in the process that measures: a child of a fork must not use its parent's link to NVML.

    Args:
        devices: labels of the devices that the trial occupies.
        clock: seconds; replaced in tests.
        find: gives the counters; replaced in tests.
    """

    __slots__ = ("_absent", "_began", "_clock", "_counters", "_joules", "_last", "_looked")

    def __init__(
        self,
        devices: Iterable[str],
        *,
        clock: Callable[[], float] = time.perf_counter,
        find: Callable[[Iterable[str]], Found] = find_counters,
    ) -> None:
        self._clock = clock
        self._counters: tuple[Counter, ...] = find(devices).counters
        self._absent: str | None = None
        self._joules = 0.0
        self._last: list[float] = []
        self._began = self._looked = 0.0

    def begin(self) -> None:
        """Read the counters: the measuring phase begins."""
        try:
            self._last = [counter.joules() for counter in self._counters]
        except OSError as error:
            self._absent = str(error)
        self._began = self._looked = self._clock()

    def watching(self, cancelled: Callable[[], bool]) -> Callable[[], bool]:
        """Return `cancelled`, which is asked now and then, with a look at the counters.

        Only counters that go round are worth it.
        """
        if all(counter.range_j is None for counter in self._counters):
            return cancelled

        def watched() -> bool:
            if self._clock() - self._looked > _LOOK_EVERY_S:
                self._look()
            return cancelled()

        return watched

    def end(
        self, values: MutableMapping[str, list[float]], facts: MutableMapping[str, Any]
    ) -> None:
        """Read the counters again and put the energy into `values`, the rest into `facts`.

        A session that yielded samples of the metric itself is not overruled.
        """
        if not self._counters or ENERGY.name in values:
            return
        self._look()
        seconds = self._clock() - self._began
        if self._absent is None and self._joules <= 0.0:
            self._absent = f"the counters did not advance in {seconds:.3g} s"
        fact: dict[str, Any] = {
            "counters": [counter.name for counter in self._counters],
            "seconds": seconds,
        }
        if self._absent is None:
            values[ENERGY.name] = [self._joules]
        else:
            fact["absent"] = self._absent
        facts[ENERGY.name] = fact

    def _look(self) -> None:
        """Add what the counters advanced since the last look."""
        if self._absent is not None:
            return
        now = self._clock()
        gap, self._looked = now - self._looked, now
        try:
            values = [counter.joules() for counter in self._counters]
        except OSError as error:
            self._absent = str(error)
            return
        for counter, before, after in zip(self._counters, self._last, values, strict=True):
            span = counter.range_j
            if span is not None and gap * counter.most_w >= span:
                self._absent = (
                    f"{counter.name} may have gone round more than once in {gap:.0f} s "
                    "without an event or a sample"
                )
            elif after >= before:
                self._joules += after - before
            elif span is None or before > span:
                self._absent = f"{counter.name} ran back"
            else:
                self._joules += after - before + span
        self._last = values
