"""Component specs: what a plugin's registration hooks return.

A spec is plain data with dotted paths, so that listing components imports nothing heavy; the
factory and the options model are imported in the process that uses them.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

__all__ = [
    "ComponentSpec",
    "ExecutorSpec",
    "ExporterSpec",
    "ImporterSpec",
    "Isolation",
    "MetricSpec",
    "OptimizerSpec",
    "ReportSpec",
    "TargetSpec",
    "ViewSpec",
    "load_object",
]


class Isolation(StrEnum):
    """Where a target's session, or an optimizer, lives.

    Of a target. `inline`: in Daybreak's own process; only for targets that run no candidate code
    (recorded tables, analytic models). `worker`: in a persistent sandboxed child process, restarted
    when it dies. `fork`: the persistent worker loads the data, and forks a child for every trial,
    so that a crash costs no reloading; not for sessions that hold threads or device contexts.

    Of an optimizer. `inline`: in Daybreak's own process. `worker`: in a child process of the study,
    with random generators of its own; a crash ends that study alone.
    """

    INLINE = "inline"
    WORKER = "worker"
    FORK = "fork"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentSpec:
    """What every kind of component says of itself.

    Attributes:
        name: unique among components of its kind; lower case, digits and hyphens.
        factory: dotted path ``package.module:attribute``.
        summary: one line.
        options: dotted path of a pydantic model for the component's options, or None for none.
        capabilities: what it can do; the words are listed with each kind.
        requires: PEP 508 requirements, checked against the installed distributions.
        extra: the extra of the plugin's own distribution that brings what `requires` names: the
            remedy for what is missing is then ``pip install 'DISTRIBUTION[extra]'``.
        executables: programs that must be on PATH.
        devices: labels of devices that a trial occupies: `cpu`, `gpu`, `fpga`.
    """

    kind: ClassVar[str] = "component"

    name: str
    factory: str
    summary: str
    options: str | None = None
    capabilities: frozenset[str] = frozenset()
    requires: tuple[str, ...] = ()
    extra: str | None = None
    executables: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSpec(ComponentSpec):
    """A target. `benchmark_options` maps a benchmark's name to its own options model's path.

    `exclusive`: a trial needs its devices to itself; trials on them never overlap.

    `caches`: names of folders, each `daybreak.cache_folder(NAME)`, that its worker may write to in
    every sandbox, for what is too dear to make twice; they are made when a bench opens. What lies
    there outlives the run, so a session must be able to tell what it is (by its content's hash).

    `reserves`: its programs reserve far more addresses than memory (WebAssembly, sanitizers), so
    that each process's memory is bounded in its data segment rather than in addresses.
    """

    kind: ClassVar[str] = "target"

    isolation: Isolation = Isolation.WORKER
    exclusive: bool = True
    benchmark_options: tuple[tuple[str, str], ...] = ()
    caches: tuple[str, ...] = ()
    reserves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerSpec(ComponentSpec):
    """An optimizer, with the parameter types it takes and how many objectives at most (0: any).

    `isolation`: `worker` gives each study's optimizer a process of its own, for libraries that draw
    from global random generators, may take the interpreter down with them, or compute for long.

    `accepts`: dotted path of a function of a `Benchmark` and validated options that raises a
    `UserError` where the optimizer cannot work on it, for what the parameters' types do not tell
    (too large to list, say). Called before anything is run, also where the library is missing.
    """

    kind: ClassVar[str] = "optimizer"

    isolation: Isolation = Isolation.INLINE

    parameter_types: frozenset[str] = frozenset(
        {"real", "integer", "ordinal", "categorical", "permutation"}
    )
    max_objectives: int = 1
    accepts: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorSpec(ComponentSpec):
    """Where studies run: this machine, a cluster."""

    kind: ClassVar[str] = "executor"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec(ComponentSpec):
    """A derived metric; unit and direction are mandatory."""

    kind: ClassVar[str] = "metric"

    unit: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSpec(ComponentSpec):
    """An SQL view; `factory` names a function that returns its SELECT statement."""

    kind: ClassVar[str] = "view"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImporterSpec(ComponentSpec):
    """A reader of somebody else's format; its factory makes an `Importer`."""

    kind: ClassVar[str] = "importer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterSpec(ComponentSpec):
    """A writer of somebody else's format; its factory makes an `Exporter`.

    `suffix` is put to file names that the command makes up, e.g. ``.json``.
    """

    kind: ClassVar[str] = "exporter"

    suffix: str = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSpec(ComponentSpec):
    """A section of a report."""

    kind: ClassVar[str] = "report"


def load_object(path: str) -> Any:
    """Import and return the object at dotted path ``package.module:attribute``.

    Raises:
        ValueError: `path` has no colon.
        ImportError: the module cannot be imported.
        AttributeError: the module has no such attribute.
    """
    module, separator, attribute = path.partition(":")
    if not separator:
        raise ValueError(f"'{path}' is no dotted path of the form 'package.module:attribute'")
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found
