"""The life of one optimizer in its process: made, asked, told, until Daybreak lets it go.

Runs in a process that `daybreak.run.optimizer_host` forked. Answers are frames
(`daybreak.measure.wire`): ``{"id": n, ...}`` with what was asked for, or with ``error``.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import random
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from daybreak.errors import PluginError, UserError
from daybreak.measure.wire import write_frame
from daybreak.plugin import Component
from daybreak.plugin.contracts import Curtails, Explains, Optimizer, Problem, Spends
from daybreak.run.optimizer_crossing import RequestReader

if TYPE_CHECKING:
    from daybreak.space import Space

__all__ = ["OptimizerSetting", "describe_error", "live", "prepare_process"]


@dataclass(frozen=True, slots=True)
class OptimizerSetting:
    """What an optimizer's process starts with: the study's seed, and a folder for temporary files."""

    seed: int
    folder: str


def prepare_process(output: int, setting: OptimizerSetting) -> None:
    """Bring a forked process into its own state: output, temporary files, random generators.

    The global generators of `random` and `numpy.random` start from the study's seed, so that a
    library that draws from them repeats itself, and no two studies draw alike by chance.
    """
    redirect(output)
    # a crash in a library's C code leaves Python's stack among the last lines
    faulthandler.enable(file=sys.stderr)
    os.environ["TMPDIR"] = setting.folder
    tempfile.tempdir = None
    random.seed(setting.seed)
    import numpy as np

    np.random.seed(setting.seed % 2**32)


def redirect(output: int) -> None:
    """Send whatever is printed, by C code too, to `output`."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]


def live(channel: socket.socket, spaces: Mapping[str, Space]) -> None:
    """Answer requests until the channel is closed."""
    requests = RequestReader(channel, spaces)
    imports = _Imports()
    optimizer: Optimizer | None = None
    operations: dict[str, Callable[[Any], Mapping[str, Any]]] = {}
    while (request := requests.receive()) is not None:
        try:
            if request.operation == "create":
                optimizer = _create(*request.argument)
                operations = _operations(optimizer)
                answer: Mapping[str, Any] = {
                    "explains": isinstance(optimizer, Explains),
                    "spends": isinstance(optimizer, Spends),
                    "curtails": isinstance(optimizer, Curtails),
                }
            else:
                answer = operations[request.operation](request.argument)
            _send(channel, request.number, {**answer, **imports.new()})
        except BrokenPipeError:
            return
        except BaseException as error:  # a library may well call sys.exit
            answer = {"error": describe_error(error)}
            del error
            _send(channel, request.number, answer)


class _Imports:
    """Says which modules were imported since it was last asked."""

    def __init__(self) -> None:
        self._known = set(sys.modules)
        self._count = len(sys.modules)

    def new(self) -> dict[str, list[str]]:
        """Return ``{"imported": names}``, or nothing: the next optimizer finds them imported."""
        if len(sys.modules) == self._count:
            return {}
        found = [name for name in list(sys.modules) if name not in self._known]
        self._known.update(found)
        self._count = len(sys.modules)
        return {"imported": found}


def _create(component: Component, problem: Problem, options: dict[str, Any]) -> Optimizer:
    made: Optimizer = component.create(problem, options)
    return made


def _operations(optimizer: Optimizer) -> dict[str, Callable[[Any], Mapping[str, Any]]]:
    def ask(n: int) -> Mapping[str, Any]:
        return {"proposed": [dict(configuration) for configuration in optimizer.ask(n)]}

    def tell(trials: Any) -> Mapping[str, Any]:
        optimizer.tell(trials)
        return {}

    found: dict[str, Callable[[Any], Mapping[str, Any]]] = {"ask": ask, "tell": tell}
    if isinstance(optimizer, Explains):
        explains = optimizer
        found["explain"] = lambda one: {"explanation": _text_keys(explains.explain(one))}
    if isinstance(optimizer, Spends):
        spends = optimizer
        found["spent"] = lambda _: {"spent": dict(spends.spent())}
    if isinstance(optimizer, Curtails):
        curtails = optimizer
        found["cutoffs"] = lambda one: {
            "cutoffs": [asdict(cutoff) for cutoff in curtails.cutoffs(one)]
        }
    return found


def _text_keys(value: Any) -> Any:
    """Return `value` with every key of every mapping as text: JSON knows no other."""
    if isinstance(value, Mapping):
        return {str(key): _text_keys(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_text_keys(item) for item in value]
    return value


def _send(channel: socket.socket, number: int, answer: Mapping[str, Any]) -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    write_frame(channel.fileno(), {"id": number, **answer})


def describe_error(error: BaseException) -> dict[str, Any]:
    """Return an exception as JSON; where it was raised goes to standard error."""
    described: dict[str, Any] = {"type": type(error).__name__, "message": _text(error)}
    if isinstance(error, UserError):
        names = ("message", "file", "line", "column", "field", "expected", "nearest", "remedy")
        described["user"] = {name: getattr(error, name) for name in names}
    elif isinstance(error, PluginError):
        described["plugin"] = error.message
    else:
        with contextlib.suppress(Exception):
            traceback.print_exception(error)
    return described


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its message cannot be shown)"
