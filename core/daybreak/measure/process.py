"""The bench in a worker process: started, asked, watched, killed and started again."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from daybreak.errors import DaybreakError, PluginError, RequirementError, UserError
from daybreak.measure.affinity import chosen_cpus
from daybreak.measure.bench import Bench, BenchPlan, OnEvents, OnProgress, OpenReport
from daybreak.measure.classify import Failure, classify_death, oom_kills
from daybreak.measure.codec import decode_outcome, decode_seconds, encode_record
from daybreak.measure.folders import ScratchFolder
from daybreak.measure.launch import WorkerProcess, launch
from daybreak.measure.outcomes import TrialSetting, ends_session, failed_outcome
from daybreak.measure.sandbox import choose_sandbox
from daybreak.measure.verdicts import Death, conclude
from daybreak.measure.watch import End, Watched, watch
from daybreak.measure.wire import GarbledError
from daybreak.plugin.folders import cache_folder
from daybreak.plugin.specs import Isolation
from daybreak.records import Configuration, Cutoff, FailureKind, Outcome

__all__ = ["ProcessBench"]

#: Seconds beyond the phases' own limits before a worker that says nothing is given up.
_GRACE = 15.0


class ProcessBench(Bench):
    """Runs trials in a worker of its own session and process group, in the strongest sandbox.

    After a trial that took the worker with it, the next `measure` starts a new one; what that costs
    is in no phase of the trial but in its fact `reopened_s`.
    """

    def __init__(self, plan: BenchPlan) -> None:
        self._plan = plan
        self._sandbox = choose_sandbox(plan.devices)
        self._cpus = chosen_cpus()
        self._scratch = ScratchFolder()
        # Reentrant, both: a signal handler may cancel or close in the middle of anything.
        self._lock = threading.RLock()
        self._measuring = threading.RLock()
        self._worker: WorkerProcess | None = None
        self._generation = 0
        self._number = 0
        self._busy = False
        self._cancelled = False
        self._closed = False
        self._setting = TrialSetting(plan.protocol, plan.objectives, curve=plan.curve)
        try:
            self._report = self._open()
        except BaseException:
            self.close()
            raise
        facts: dict[str, Any] = {"sandbox": self._sandbox.value}
        if self._cpus:
            facts["cpus"] = list(self._cpus)
        self._setting = replace(self._setting, floors=self._report.floors, facts=facts)

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
        on_events: OnEvents | None = None,
        on_progress: OnProgress | None = None,
    ) -> Outcome:
        """Build, verify and measure `configuration`; see `Bench.measure`."""
        with self._measuring:
            with self._lock:
                if self._closed:
                    raise ValueError("the bench is closed")
                self._busy, self._cancelled = True, False
            try:
                return self._measure(configuration, best, cutoffs, on_events, on_progress)
            except BaseException as error:
                # What the worker is doing is not known any more, e.g. after Ctrl-C.
                self._kill()
                if self._cancelled and isinstance(error, DaybreakError):
                    return self._cancelled_outcome({}, {})
                raise
            finally:
                self._busy = False

    def cancel(self) -> None:
        """End the trial in progress; see `Bench.cancel`."""
        with self._lock:
            if self._busy:
                self._cancelled = True
                if self._worker is not None:
                    self._worker.signal_group()

    def close(self) -> None:
        """End the session; may be repeated. A trial in progress is cancelled first."""
        with self._lock:
            self._closed = True
            self.cancel()
        with self._measuring:
            if self._worker is not None and not self._cancelled:
                self._worker.say_goodbye()
            self._kill()
            self._scratch.remove()

    def _measure(
        self,
        configuration: Configuration,
        best: float | None,
        cutoffs: Sequence[Cutoff],
        on_events: OnEvents | None,
        on_progress: OnProgress | None,
    ) -> Outcome:
        facts: dict[str, Any] = {}
        if self._worker is None or not self._worker.alive():
            self._kill()
            facts["reopened_s"] = self._reopen()
            if self._cancelled:
                return self._cancelled_outcome({}, facts)
        worker = self._worker
        assert worker is not None  # noqa: S101 - _reopen() raises otherwise
        self._number += 1
        plan = self._plan
        timeout = plan.protocol.timeout_s
        forking = plan.isolation is Isolation.FORK
        kills = oom_kills()
        worker.send(
            {
                "op": "trial",
                "id": self._number,
                "configuration": dict(configuration),
                "best": best,
                "cutoffs": [encode_record(cutoff) for cutoff in cutoffs],
            }
        )
        total = self._setting.phases * timeout + _GRACE
        seen = watch(
            worker.reader,
            worker.output,
            number=self._number,
            alive_fd=worker.alive_fd,
            alive=worker.alive,
            phase_s=total if forking else timeout,
            total_s=total,
            output_bytes=plan.limits.output_bytes,
            phase="trial" if forking else "build",
            keeper=self._setting.keeper(),
            on_events=on_events,
            on_progress=on_progress,
        )
        outcome: Outcome | None = None
        if seen.end is End.DONE:
            try:
                outcome = decode_outcome(seen.final["outcome"])
            except GarbledError as error:
                seen.end, seen.explanation = End.GARBLED, str(error)
        code: int | None = None
        if seen.end in (End.DIED, End.CLOSED):
            code = worker.exit_code(patience=2.0)
        if seen.end is not End.DONE or (outcome is not None and ends_session(outcome)):
            # a worker that is about to end may still be alive when the next trial is asked for
            self._kill()
        if self._cancelled and outcome is None:
            return self._cancelled_outcome(seen.phases, facts)
        death = Death(code, oom_killed=kills is not None and (oom_kills() or kills) > kills)
        facts = {**self._setting.facts, **facts}
        return conclude(
            seen, outcome, worker.output, self._setting, death, facts, {}, plan.limits.output_bytes
        )

    def _cancelled_outcome(self, phases: dict[str, float], facts: dict[str, Any]) -> Outcome:
        return failed_outcome(
            Failure(FailureKind.CANCELLED, "cancelled"),
            self._setting,
            phases,
            {**self._setting.facts, **facts},
        )

    def _reopen(self) -> float:
        """Start a new worker; return the seconds it took."""
        report = self._open()
        if report.identity != self._report.identity:
            changed = sorted(
                name
                for name in {*report.identity, *self._report.identity}
                if report.identity.get(name) != self._report.identity.get(name)
            )
            raise PluginError(
                f"the identity of its benchmark '{self._plan.name}' changed while it was measured: "
                + ", ".join(changed),
                plugin=self._plan.factory,
            )
        return report.seconds

    def _open(self) -> OpenReport:
        """Start a worker and have it open the session."""
        plan = self._plan
        began = time.perf_counter()
        self._generation += 1
        scratch = self._scratch.path / f"worker-{self._generation}"
        scratch.mkdir()
        worker = launch(
            self._sandbox,
            scratch,
            mark=secrets.token_hex(16),
            gpu="gpu" in plan.devices,
            caches=_made(plan.caches),
        )
        with self._lock:
            self._worker = worker
            if self._cancelled:
                worker.signal_group()
        kills = oom_kills()
        worker.send(
            {
                "op": "open",
                "factory": plan.factory,
                "name": plan.name,
                "options": dict(plan.options),
                "protocol": encode_record(plan.protocol),
                "limits": encode_record(plan.limits),
                "isolation": plan.isolation.value,
                "devices": list(plan.devices),
                "reserves": plan.reserves,
                "objectives": [encode_record(metric) for metric in plan.objectives],
                "curve": None if plan.curve is None else encode_record(plan.curve),
                "scratch": str(scratch),
                "folder": os.getcwd(),
                "sandbox": self._sandbox.value,
                "cpus": list(self._cpus),
            }
        )
        seen = watch(
            worker.reader,
            worker.output,
            number=0,
            alive_fd=worker.alive_fd,
            alive=worker.alive,
            phase_s=plan.open_timeout_s,
            total_s=plan.open_timeout_s,
            output_bytes=plan.limits.output_bytes,
            phase="open",
            answers=("opened", "error"),
        )
        if seen.end is not End.DONE or "opened" not in seen.final:
            code = worker.exit_code(patience=2.0) if seen.end in (End.DIED, End.CLOSED) else None
            self._kill()
            killed = kills is not None and (oom_kills() or kills) > kills
            raise self._refusal(seen, worker, code, oom_killed=killed)
        answer = seen.final["opened"]
        return OpenReport(
            identity={str(key): str(value) for key, value in answer["identity"].items()},
            floors=decode_seconds(answer["floors"]),
            sandbox=self._sandbox.value,
            seconds=time.perf_counter() - began,
            cpus=self._cpus,
        )

    def _refusal(
        self, seen: Watched, worker: WorkerProcess, code: int | None, *, oom_killed: bool
    ) -> DaybreakError:
        """Return the exception that says why the session cannot be opened."""
        plan = self._plan
        error = seen.final.get("error")
        place = f"benchmark '{plan.name}' of {plan.factory}"
        if error is not None:
            if error["user"]:
                kind = RequirementError if error["requirement"] else UserError
                return kind(**error["fields"])
            if error["memory"]:
                return _too_little_memory(place)
            detail = worker.output.text
            return PluginError(
                f"its benchmark '{plan.name}' cannot be opened: {error['type']}: "
                f"{error['message']}\n{error['traceback']}" + (f"\n{detail}" if detail else ""),
                plugin=plan.factory,
            )
        if seen.end is End.TIMEOUT:
            reason = f"it took longer than {plan.open_timeout_s:g} s (DAYBREAK_OPEN_TIMEOUT)"
        elif seen.end is End.FLOOD:
            reason = f"it printed more than {plan.limits.output_bytes} bytes"
        elif seen.end is End.GARBLED:
            reason = f"it corrupted the channel to its worker ({seen.explanation})"
        else:
            failure = classify_death(code, "open", worker.output.tail, oom_killed=oom_killed)
            if failure.kind is FailureKind.MEMORY:
                return _too_little_memory(place)
            reason = failure.message
        text = worker.output.text
        return PluginError(
            f"its benchmark '{plan.name}' cannot be opened: {reason}"
            + (f"\n{text}" if text else ""),
            plugin=plan.factory,
        )

    def _kill(self) -> None:
        """End the worker and all that it started, whatever state it is in."""
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()


def _made(caches: Sequence[str]) -> list[Path]:
    """Return the target's cache folders, made where they are missing.

    Raises:
        RequirementError: one cannot be made.
    """
    folders = [cache_folder(name) for name in caches]
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RequirementError(
                f"the cache folder {folder} cannot be made: {error.strerror or error}",
                remedy="make its parent writable, or set XDG_CACHE_HOME to a folder that is",
            ) from error
    return folders


def _too_little_memory(place: str) -> RequirementError:
    return RequirementError(
        f"{place} needs more memory to open than its limit allows",
        remedy="raise `memory` under `limits` in the suite, or take a smaller instance",
    )
