"""The back end that needs nothing but NumPy: data-parallel threads, each with its own buffers.

Every thread takes an equal part of the batch; the gradients are added in a fixed order, so that a
run is the same bit for bit whenever the number of threads is. BLAS runs on one thread within each.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from daybreak_train.data import ImageData, Split
from daybreak_train.image.batches import shifted
from daybreak_train.image.choice import Choice
from daybreak_train.image.network import Network
from daybreak_train.image.numpy_pass import Pass, chunk_of
from daybreak_train.image.updates import make_rule

__all__ = ["NumpyBackend", "NumpyModel"]

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


class NumpyBackend:
    """Makes models that compute with NumPy; see `daybreak_train.image.backends`."""

    def __init__(self, data: ImageData) -> None:
        self._data = data
        self._limits = _one_blas_thread()
        self.identity: Mapping[str, str] = {"numpy": np.__version__, "blas": _blas()}

    def model(self, network: Network, choice: Choice, parameters: Floats) -> NumpyModel:
        """Return a model."""
        return NumpyModel(self._data, network, choice, parameters)

    def close(self) -> None:
        """Give BLAS its threads back."""
        self._limits.close()


class NumpyModel:
    """A network in training; see `daybreak_train.image.backends.Model`."""

    def __init__(
        self,
        data: ImageData,
        network: Network,
        choice: Choice,
        parameters: Floats,
    ) -> None:
        self._data, self._shift = data, choice.shift
        self._parameters = parameters.astype(np.float32)
        self._rule = make_rule(choice.optimizer, self._parameters)
        threads = choice.threads
        self._passes = [Pass(network, data.mean, data.deviation) for _ in range(threads)]
        self._chunk = chunk_of(network)
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None
        self._loss, self._seen = 0.0, 0

    def _each(self, work: Callable[[int], float]) -> list[float]:
        """Do `work(thread)` in every thread, the first in this one; return what each gives."""
        others = [
            self._pool.submit(work, thread)
            for thread in range(1, len(self._passes))
            if self._pool is not None
        ]
        return [work(0), *(other.result() for other in others)]

    def _add_gradients(self, indices: Labels, offsets: Labels | None) -> float:
        """Sum the gradient of the mean loss into the first pass; return the sum of the losses."""
        train, count = self._data.train, len(indices)
        share = 1.0 / count
        bounds = np.linspace(0, count, len(self._passes) + 1).astype(int)

        def work(thread: int) -> float:
            own, total = self._passes[thread], 0.0
            own.gradient.fill(0.0)
            # a model that diverges says so with NaN; NumPy's warnings of it are no news
            with np.errstate(all="ignore"):
                for part in _chunks(bounds[thread], bounds[thread + 1], self._chunk):
                    chosen = indices[part]
                    images = train.images[chosen]
                    if offsets is not None:
                        images = shifted(images, offsets[part], self._shift)
                    total += own.learn(self._parameters, images, train.labels[chosen], share)
            return total

        total = sum(self._each(work))
        for other in self._passes[1:]:
            self._passes[0].gradient += other.gradient
        return total

    def step(self, indices: Labels, offsets: Labels | None, rate: float) -> None:
        """Take one step."""
        self._loss += self._add_gradients(indices, offsets)
        self._seen += len(indices)
        with np.errstate(all="ignore"):
            self._rule.apply(self._parameters, self._passes[0].gradient, rate)

    def synchronize(self) -> None:
        """Nothing is under way: every step is done when it returns."""

    def mean_loss(self) -> float:
        """Return the mean training loss since the last call."""
        mean = self._loss / self._seen if self._seen else float("nan")
        self._loss, self._seen = 0.0, 0
        return mean

    def evaluate(self, part: str) -> tuple[float, float]:
        """Return accuracy and mean loss on a part of the data."""
        split: Split = getattr(self._data, part)
        scores = self.logits(split.images)
        with np.errstate(all="ignore"):
            right = int((scores.argmax(axis=1) == split.labels).sum())
            scores -= scores.max(axis=1, keepdims=True)
            chosen = scores[np.arange(len(split)), split.labels]
            losses = np.log(np.exp(scores).sum(axis=1)) - chosen
            return right / len(split), float(losses.mean(dtype=np.float64))

    def logits(self, images: NDArray[np.uint8]) -> Floats:
        """Return the scores of images."""
        scores = np.empty((len(images), self._passes[0].classes), np.float32)
        bounds = np.linspace(0, len(images), len(self._passes) + 1).astype(int)

        def work(thread: int) -> float:
            own = self._passes[thread]
            with np.errstate(all="ignore"):
                for part in _chunks(bounds[thread], bounds[thread + 1], self._chunk):
                    scores[part] = own.logits(self._parameters, images[part]).T
            return 0.0

        self._each(work)
        return scores

    def gradient(self, indices: Labels, offsets: Labels | None) -> Floats:
        """Return the gradient of the mean loss."""
        self._add_gradients(indices, offsets)
        return self._passes[0].gradient.copy()

    def parameters(self) -> Floats:
        """Return a copy of the parameters."""
        return self._parameters.copy()

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
            del self._passes[1:]


def _chunks(start: int, stop: int, size: int) -> Iterator[slice]:
    for at in range(start, stop, size):
        yield slice(at, min(at + size, stop))


def _one_blas_thread() -> contextlib.ExitStack:
    """Hold BLAS to one thread until the stack is closed; a worker's own is told so anyway."""
    stack = contextlib.ExitStack()
    with contextlib.suppress(ImportError):
        from threadpoolctl import threadpool_limits

        stack.enter_context(threadpool_limits(limits=1, user_api="blas"))
    return stack


def _blas() -> str:
    with contextlib.suppress(ImportError):
        from threadpoolctl import threadpool_info

        found = [one for one in threadpool_info() if one.get("user_api") == "blas"]
        if found:
            return " ".join(
                str(found[0].get(key) or "") for key in ("internal_api", "version", "architecture")
            )
    return "unknown"
