"""The task `image` in the worker: its data in memory and the back end that computes."""

from __future__ import annotations

import time
from collections.abc import Mapping

from daybreak import Benchmark, Configuration
from daybreak_train.data import data_set, load_images
from daybreak_train.image.backends import make_backend
from daybreak_train.image.choice import Choice
from daybreak_train.image.job import ImageJob
from daybreak_train.image.network import Network

__all__ = ["ImageWorkload"]


class ImageWorkload:
    """Data and back end; see `daybreak_train.tasks.protocol.Workload`."""

    def __init__(self, benchmark: Benchmark) -> None:
        options = benchmark.options
        self._options = dict(options)
        self._data = load_images(data_set(options["data"]), options["folder"], options["examples"])
        self._backend = make_backend(options, self._data)
        self.identity: Mapping[str, str] = {"data": self._data.digest, **self._backend.identity}

    def build(self, configuration: Configuration) -> ImageJob:
        """Lay the network out; nothing is compiled."""
        began = time.perf_counter()
        data, choice = self._data, Choice.of(configuration)
        channels, height, width = data.train.images.shape[1:]
        network = Network((channels, height, width), data.classes, choice.width)
        job = ImageJob(data, self._backend, network, choice, self._options)
        job.phases = {"layout": time.perf_counter() - began}
        return job

    def close(self) -> None:
        """Release threads and the device's memory."""
        self._backend.close()
