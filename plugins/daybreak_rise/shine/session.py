"""A benchmark whose kernels a Shine checkout compiles, runs and times."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from daybreak import (
    Benchmark,
    BuildFailed,
    Configuration,
    Event,
    MeasurementProtocol,
    Sample,
    TrialFailed,
    Verdict,
)
from daybreak_rise.shine.link import ShineLink
from daybreak_rise.shine.protocol import Malformed, is_header, parse_answer, request

__all__ = ["Asked", "ShineSession"]

#: lines that a program may print before an answer begins
_NOISE_LINES = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """A configuration with the runtime (ms) of the first answer about it."""

    configuration: Configuration
    first: float


class ShineSession:
    """A session that sends every repetition as a request; see `daybreak.plugin.contracts.Session`.

    Shine is started with the first trial, and again after it crashed, hung or sent nonsense.
    """

    def __init__(self, benchmark: Benchmark) -> None:
        options = benchmark.options
        self._seconds = float(options["shine_timeout"])
        self._link = ShineLink(
            options["shine"],
            options["shine_folder"],
            spawns=options["shine_mode"] == "spawns",
            seconds=self._seconds,
        )
        self.identity: Mapping[str, str] = {
            "command": str(options["shine"]),
            "checkout": _commit(options["shine_folder"]),
        }
        self.floors: Mapping[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End Shine; safe to call twice."""
        self._link.stop()

    def _ask(self, configuration: Configuration) -> float:
        """Return the runtime in milliseconds.

        Raises:
            BuildFailed: Shine calls the configuration invalid.
            TrialFailed: it crashed, hung, or sent what is no answer.
        """
        if not self._link.running:
            self._link.start()
        self._link.send(request([configuration]))
        deadline = time.monotonic() + self._seconds
        try:
            for _ in range(_NOISE_LINES):
                header = self._link.read_line(deadline)
                if is_header(header, configuration):
                    break
            else:
                raise Malformed("no line of names")
            answer = parse_answer(header, self._link.read_line(deadline), configuration)
        except Malformed as error:
            # whatever else is in the line would be taken for the next answer
            self._link.stop(goodbye=False)
            raise TrialFailed(f"Shine sent no answer: {error}", kind="crash") from None
        if answer.runtime is None:
            raise BuildFailed("Shine calls the configuration invalid")
        return answer.runtime

    def build(self, configuration: Configuration) -> Asked:
        """Ask for the configuration once.

        Raises:
            BuildFailed: Shine calls it invalid.
        """
        return Asked(configuration, self._ask(configuration))

    def verify(self, artifact: Asked) -> Verdict:  # noqa: ARG002
        """Return that Shine called it valid: it keeps the result to itself."""
        return Verdict(True, message="Shine calls it valid; its result is not seen")

    def measure(self, artifact: Asked, protocol: MeasurementProtocol) -> Iterator[Sample | Event]:  # noqa: ARG002
        """Yield the first answer's runtime (ms), then that of one request after another."""
        yield Sample("time", artifact.first, 0)
        i = 1
        while True:
            yield Sample("time", self._ask(artifact.configuration), i)
            i += 1


def _commit(folder: str | None) -> str:
    """Return the commit that is checked out in `folder`, as far as its files say."""
    git = Path(folder or ".", ".git")
    try:
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if head.startswith("ref: "):
            head = (git / head.removeprefix("ref: ")).read_text(encoding="utf-8").strip()
    except OSError:
        return "unknown"
    return head
