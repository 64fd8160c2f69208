"""Processes that run a kernel at the same time, one bound to each processor."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from daybreak.errors import RequirementError

__all__ = ["Crew"]

#: Seconds until a run begins, so that every process has heard of it.
_LEAD_S = 2e-3
_THREADS = ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR", "NUMBA")


class Crew:
    """Processes bound to `places`, each with as many BLAS threads as its place has processors.

    Args:
        places: processors of each process.
    """

    def __init__(self, places: Sequence[Sequence[int]]) -> None:
        self._members: list[subprocess.Popen[str]] = []
        self._lost: str | None = None
        try:
            for cpus in places:
                self._members.append(_start(cpus))
        except BaseException:
            self.close()
            raise

    def prepare(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Have every process prepare a kernel, and return what the first one says of it.

        Raises:
            RequirementError: something is missing for it, memory say.
        """
        answers = self._ask({**request})
        for answer in answers:
            if "error" in answer:
                raise RequirementError(
                    f"the roofline cannot be measured: {answer['error']}",
                    remedy="give the machine more free memory, or install what is missing",
                )
        details: dict[str, Any] = answers[0]["details"]
        return details

    def run(self, times: int) -> float:
        """Run the kernel `times` over in all processes; seconds from the first start to the last end."""
        answers = self._ask({"times": times, "at": time.monotonic() + _LEAD_S})
        return float(
            max(answer["ended"] for answer in answers) - min(answer["began"] for answer in answers)
        )

    def _ask(self, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        line = json.dumps(request) + "\n"
        try:
            for member in self._members:
                assert member.stdin is not None  # noqa: S101 - a pipe, see _start
                member.stdin.write(line)
                member.stdin.flush()
            return [self._answer(member) for member in self._members]
        except (BrokenPipeError, ValueError) as error:
            codes = [code for member in self._members if (code := _code(member)) is not None]
            raise RequirementError(
                f"a process that measures the roofline ended by itself (exit status {codes})",
                remedy="free memory on this machine, and try again",
            ) from error

    @staticmethod
    def _answer(member: subprocess.Popen[str]) -> dict[str, Any]:
        assert member.stdout is not None  # noqa: S101 - a pipe, see _start
        answer: dict[str, Any] = json.loads(member.stdout.readline())  # nothing: a ValueError
        return answer

    def close(self) -> None:
        """End the processes; safe to call twice."""
        for member in self._members:
            member.kill()
            for stream in (member.stdin, member.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
            member.wait()
        self._members = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _code(member: subprocess.Popen[str]) -> int | None:
    try:
        return member.wait(timeout=2.0)
    except subprocess.TimeoutExpired:
        return None


def _start(cpus: Sequence[int]) -> subprocess.Popen[str]:
    environment = dict(os.environ)
    environment.update({f"{name}_NUM_THREADS": str(len(cpus)) for name in _THREADS})
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "daybreak.measure.roofline.worker"),
            ",".join(str(cpu) for cpu in cpus),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
