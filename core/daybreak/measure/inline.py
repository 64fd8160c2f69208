"""The bench in Daybreak's own process, for targets that run no candidate code."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from daybreak.errors import DaybreakError, PluginError
from daybreak.measure.bench import Bench, BenchPlan, OnEvents, OnProgress, OpenReport
from daybreak.measure.outcomes import TrialSetting, ends_session
from daybreak.measure.sessions import OpenedSession, open_session
from daybreak.measure.trial import run_trial
from daybreak.records import Configuration, Cutoff, Outcome

if TYPE_CHECKING:
    from daybreak.plugin.contracts import Landscape

__all__ = ["InlineBench"]


class InlineBench(Bench):
    """Runs trials by plain calls: no limits, no sandbox, and timeouts only between samples."""

    def __init__(self, plan: BenchPlan) -> None:
        began = time.perf_counter()
        self._plan = plan
        self._opened = _open(plan)
        self._lost = False
        self._report = OpenReport(
            identity=self._opened.identity,
            floors=self._opened.floors,
            seconds=time.perf_counter() - began,
        )
        self._setting = TrialSetting(
            plan.protocol,
            plan.objectives,
            self._opened.floors,
            {"sandbox": "inline"},
            curve=plan.curve,
        )
        self._cancelled = False
        self._measuring = False

    @property
    def opened(self) -> OpenReport:
        """What opening gave."""
        return self._report

    def measure(
        self,
        configuration: Configuration,
        *,
        best: float | None = None,
        cutoffs: Sequence[Cutoff] = (),
        on_events: OnEvents | None = None,  # noqa: ARG002 - nobody else runs meanwhile to look on
        on_progress: OnProgress | None = None,  # noqa: ARG002 - likewise
    ) -> Outcome:
        """Build, verify and measure `configuration`; see `Bench.measure`."""
        self._cancelled = False
        self._measuring = True
        try:
            if self._lost:
                self._reopen()
            outcome = run_trial(
                self._opened.session,
                configuration,
                self._setting,
                best=best,
                cutoffs=cutoffs,
                cancelled=self._is_cancelled,
            )
            self._lost = ends_session(outcome)
            return outcome
        finally:
            self._measuring = False

    def _reopen(self) -> None:
        """Take a new session in the place of one that is lost."""
        with contextlib.suppress(Exception):
            self._opened.close()
        self._opened = _open(self._plan)
        if self._opened.identity != self._report.identity:
            raise PluginError(
                f"the identity of its benchmark '{self._plan.name}' changed while it was measured",
                plugin=self._plan.factory,
            )
        self._lost = False

    def landscape(self) -> Landscape | None:
        """Return what the session knows of its whole space; see `Bench.landscape`."""
        from daybreak.plugin.contracts import Surveyed

        session = self._opened.session
        return session.landscape() if isinstance(session, Surveyed) else None

    def cancel(self) -> None:
        """End the trial in progress; see `Bench.cancel`."""
        if self._measuring:
            self._cancelled = True

    def close(self) -> None:
        """End the session; may be repeated."""
        self._opened.close()

    def _is_cancelled(self) -> bool:
        return self._cancelled


def _open(plan: BenchPlan) -> OpenedSession:
    try:
        return open_session(plan.factory, plan.name, plan.options)
    except DaybreakError:
        raise
    except Exception as error:
        raise PluginError(
            f"its benchmark '{plan.name}' cannot be opened: {type(error).__name__}: {error}",
            plugin=plan.factory,
        ) from error
