"""The target `replay`: lists recorded benchmarks and defines them out of their tables."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from daybreak import (
    Benchmark,
    Configuration,
    Direction,
    FailureKind,
    Metric,
    Ordinal,
    Requirement,
    Space,
    UserError,
    nearest,
)
from daybreak_replay.catalogue import RESERVED, descriptions
from daybreak_replay.defining import Defined, Plan, define_table, plan_of
from daybreak_replay.session import RecordedSession

__all__ = ["ReplayTarget"]

#: Definitions kept in memory: a block's studies and every seed ask for the same one again.
_KEPT = 16

_lock = threading.Lock()
_defined: OrderedDict[Any, Defined] = OrderedDict()


class ReplayTarget:
    """Tables of recorded measurements."""

    def benchmarks(self) -> Iterable[Benchmark]:
        """List every known table, and `table`, which takes any file."""
        from daybreak_replay.options import RecordedOptions

        yield _any_file()
        options = RecordedOptions().model_dump(mode="json")
        for name in descriptions():
            yield self.define(name, options)

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        """Return benchmark `name`; reads the table, which is then kept in memory.

        Raises:
            UserError: there is no such benchmark, or its file, its space or its options are wrong.
        """
        return self._define(name, options).benchmark

    def check(self) -> Iterable[Requirement]:
        """Say what is needed: nothing but the tables."""
        return ()

    def open(self, benchmark: Benchmark) -> RecordedSession:
        """Return a session, not yet entered."""
        return RecordedSession(self._define(benchmark.name, benchmark.options).opened)

    def rehearsal(self) -> Mapping[str, Mapping[str, Any]]:
        """Return a small table, once by name and once as a file."""
        path = str(descriptions()["pnpoly-rtx3090"].path)
        return {"pnpoly-rtx3090": {}, "convolution-a100": {}, RESERVED: {"path": path}}

    def faults(self, benchmark: Benchmark) -> Iterable[tuple[FailureKind, Configuration]]:
        """Return a configuration of every kind of failure that is recorded."""
        opened = self._define(benchmark.name, benchmark.options).opened
        seen: set[FailureKind] = set()
        for row in opened.coverage.rows.tolist():
            kind = opened.table.failures[row]
            if kind is not None and kind not in seen:
                seen.add(kind)
                yield kind, opened.table.configuration(row)

    def _define(self, name: str, options: Mapping[str, Any]) -> Defined:
        plan = self._plan(name, options)
        with _lock:
            found = _defined.get(plan.key)
        if found is None:
            found = define_table(plan)
            with _lock:
                _defined[plan.key] = found
                while len(_defined) > _KEPT:
                    _defined.popitem(last=False)
        return found

    def _plan(self, name: str, options: Mapping[str, Any]) -> Plan:
        if name == RESERVED:
            return plan_of(name, options, None)
        known = descriptions()
        if name not in known:
            raise UserError(
                f"target 'replay' has no benchmark '{name}'",
                expected="one of " + ", ".join([RESERVED, *known]),
                nearest=nearest(name, [RESERVED, *known]),
                remedy="see `daybreak benchmarks list`; to add a file: daybreak import t4 FILE",
            )
        return plan_of(name, options, known[name])


def _any_file() -> Benchmark:
    """Return what a listing says of `replay/table`, whose space is only known with its file."""
    return Benchmark(
        name=RESERVED,
        space=Space([Ordinal("parameter", (1,))], name=RESERVED),
        objectives=(Metric("time", "ms", Direction.MINIMIZE),),
        summary="any file of recorded measurements: T4, Kernel Tuner cache, CSV, Parquet, results",
        notes=("Needs the option `path`; space, objectives and references come from the file.",),
    )
