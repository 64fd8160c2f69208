"""One configuration of the task `image`: verified, trained, judged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from daybreak import Event, Sample, Verdict, WrongResult
from daybreak_train.clock import TrainingClock
from daybreak_train.data import ImageData
from daybreak_train.image import checks
from daybreak_train.image.backends import Backend, Model
from daybreak_train.image.batches import Batches
from daybreak_train.image.choice import Choice
from daybreak_train.image.network import Network
from daybreak_train.image.schedules import factor

__all__ = ["ImageJob"]

#: so that tasks with the same seed draw different numbers
_SALT = 0x1A6E
#: a network that is so good on validation images has to be half as good on test images at least
_GOOD = 0.5


class ImageJob:
    """Trains the network of one configuration; see `daybreak_train.tasks.protocol.Job`."""

    def __init__(
        self,
        data: ImageData,
        backend: Backend,
        network: Network,
        choice: Choice,
        options: Mapping[str, Any],
    ) -> None:
        self._data, self._backend, self._network = data, backend, network
        self._choice, self._options = choice, options
        self._model: Model | None = None
        self._steps = 0
        #: accuracy at the last look; None: trained on since, or not looked at yet
        self._accuracy: float | None = None
        self._concluded: tuple[Sample, ...] | None = None
        self.phases: Mapping[str, float] = {}
        self.facts: Mapping[str, Any] = {
            "parameters": network.size,
            "work": {
                "flops": network.training_flops * choice.batch,
                "per": "step",
                "threads": choice.threads,
                "precision": "f32" if choice.precision == "float32" else choice.precision,
                "device": "cpu" if options["device"] == "cpu" else "gpu",
            },
        }

    def verify(self) -> Verdict:
        """Compare the back end's arithmetic with the reference in double precision."""
        return checks.verify(self._data, self._backend, self._network, self._choice)

    def train(self, seed: int, clock: TrainingClock) -> Iterator[Event]:
        """Train a new network and yield, at each look, throughput, losses and, last, accuracy."""
        of_network, of_batches = np.random.SeedSequence([_SALT, seed]).spawn(2)
        self._close_model()
        self._concluded = None
        model = self._model = self._backend.model(
            self._network,
            self._choice,
            self._network.initial(np.random.Generator(np.random.PCG64(of_network))),
        )
        batches = Batches(
            len(self._data.train),
            self._choice.batch,
            self._choice.shift,
            np.random.Generator(np.random.PCG64(of_batches)),
        )
        self._steps, before = 0, 0.0
        yield from self._look(model, clock, 0, 0.0)
        for epoch in range(int(self._options["epochs"])):
            stretches = _stretches(batches.steps, int(self._options["looks"]))
            stream = batches.epoch()
            for stretch in stretches:
                self._accuracy = None
                with clock:
                    for _ in range(stretch):
                        indices, offsets = next(stream)
                        model.step(indices, offsets, self._rate(self._steps / batches.steps))
                        self._steps += 1
                    model.synchronize()
                step = self._steps
                seconds, before = clock.train_s - before, clock.train_s
                done = epoch + 1 if step == (epoch + 1) * batches.steps else step / batches.steps
                rate = stretch * self._choice.batch / max(seconds, 1e-9)
                yield clock.event("throughput", rate, step=step, epoch=done)
                train_loss = model.mean_loss()
                yield clock.event("train_loss", train_loss, step=step, epoch=done)
                yield from self._look(model, clock, step, done, math.isfinite(train_loss))

    def _look(
        self, model: Model, clock: TrainingClock, step: int, epoch: float, sound: bool = True
    ) -> Iterator[Event]:
        """Yield loss and accuracy on the validation images; a network that diverged gives NaN."""
        accuracy, loss = model.evaluate("validation")
        self._accuracy = accuracy if sound and math.isfinite(loss) else math.nan
        yield clock.event("loss", loss, step=step, epoch=epoch)
        yield clock.event("accuracy", self._accuracy, step=step, epoch=epoch)

    def _rate(self, epochs: float) -> float:
        chosen = self._choice
        return chosen.learning_rate * factor(chosen.schedule, epochs / chosen.horizon)

    def conclude(self) -> Iterable[Sample]:
        """Return the accuracy on the test images, which are looked at only here, and the gaps.

        Before that, the accuracy that the curve ended with is found again, and the back end's
        answers are compared with those of the reference in double precision.

        Raises:
            WrongResult: the curve's accuracy was not the network's.
        """
        if self._concluded is None:
            if self._model is None:
                raise RuntimeError("nothing has been trained")
            self._concluded = tuple(self._judge(self._model))
            self._close_model()
        return self._concluded

    def _judge(self, model: Model) -> Iterator[Sample]:
        accuracy = checks.confirm(self._data, self._network, self._choice, model, self._accuracy)
        test, _ = model.evaluate("test")
        train, _ = model.evaluate("train")
        if accuracy >= _GOOD and test < accuracy / 2:
            raise WrongResult(
                f"accuracy {accuracy:.4f} on validation images, {test:.4f} on held-out ones"
            )
        yield Sample("test_accuracy", test)
        yield Sample("train_accuracy", train)
        yield Sample("generalisation_gap", accuracy - test)

    def _close_model(self) -> None:
        if self._model is not None:
            self._model.close()
        self._model = None


def _stretches(steps: int, looks: int) -> list[int]:
    """Divide an epoch of `steps` into `looks` stretches that differ by one step at most."""
    ends = [round(steps * (look + 1) / looks) for look in range(looks)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False) if end > start]
