"""The live picture of a run in a terminal: studies, trials, best so far, failures, time left."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from daybreak.measure import Doing

__all__ = ["TerminalListener"]

_ROWS = 12  # studies shown at a time; more would not fit a common terminal
_SOON_S = 1.0  # a trial that is quicker is not watched: words would only flicker
_LOG_S = 30.0  # where there is no terminal: the first line on a long trial; the next at twice that


class TerminalListener:
    """Draws a run with rich. Where the console is no terminal, prints a line per study instead."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("trials"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._console,
        )
        self._task = self._progress.add_task("run", total=None, left="")
        self._studies: dict[str, dict[str, Any]] = {}
        self._recent: deque[float] = deque(maxlen=30)
        self._failures: dict[str, int] = {}
        self._logged: dict[str, float] = {}
        self._said: set[str] = set()
        self._live: Live | None = None
        self._setup_bar: Progress | None = None
        self._drawn = 0.0

    def event(self, kind: str, values: dict[str, Any]) -> None:
        """Take one event and redraw, at most ten times a second."""
        # `_progress` is the bar of the whole run
        handler = getattr(self, "_progress_of" if kind == "progress" else f"_{kind}", None)
        if handler is not None:
            handler(values)
        now = time.monotonic()
        often = kind in ("trial_finished", "trial_progress")
        if self._live is not None and (now - self._drawn > 0.1 or not often):
            self._drawn = now
            self._live.update(self._picture(), refresh=True)

    def close(self) -> None:
        """Leave the last picture standing; safe to call twice."""
        self._end_setup()
        if self._live is not None:
            self._live.update(self._picture(), refresh=True)
            self._live.stop()
            self._live = None

    # -- one method per kind of event

    def _run_started(self, values: dict[str, Any]) -> None:
        self._end_setup()
        resumed = f", {values['resumed']} trials already recorded" if values["resumed"] else ""
        self._say(
            Text(f"{values['suite']}: run {values['run_id']}, {values['studies']} studies{resumed}")
        )
        self._progress.update(self._task, total=values["trials"], description=values["suite"])
        if self._console.is_terminal:
            self._live = Live(self._picture(), console=self._console, auto_refresh=False)
            self._live.start()

    def _setup(self, values: dict[str, Any]) -> None:
        """Show a toolchain being installed: a bar of its own, before the run begins."""
        if self._setup_bar is None:
            self._say(Text(f"setting up target '{values['target']}', once"))
            self._setup_bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TimeElapsedColumn(),
                console=self._console,
            )
            self._setup_bar.add_task("", total=1.0)
            self._setup_bar.start()
        task = self._setup_bar.tasks[0].id
        self._setup_bar.update(task, description=values["text"], completed=values["done"])

    def _end_setup(self) -> None:
        if self._setup_bar is not None:
            self._setup_bar.stop()
            self._setup_bar = None

    def _warning(self, values: dict[str, Any]) -> None:
        self._say(Text(f"warning: {values['message']}", style="yellow"))

    def _bench_opened(self, values: dict[str, Any]) -> None:
        if self._live is None:
            text = f"{values['benchmark']}: opened in {values['seconds']:.1f} s"
            self._say(Text(f"{text} (sandbox: {values['sandbox']})"))

    def _study_started(self, values: dict[str, Any]) -> None:
        self._studies[values["study_id"]] = {**values, "number": 0, "failures": 0, "status": ""}

    def _trial_finished(self, values: dict[str, Any]) -> None:
        study = self._studies.setdefault(values["study_id"], dict(values))
        study["number"] = values["number"] + 1
        study["now"] = ""
        self._logged.pop(values["study_id"], None)
        study["best"], study["unit"] = values["best"], values["unit"]
        if values["failure_kind"]:
            study["failures"] = study.get("failures", 0) + 1
            kind = values["failure_kind"]
            self._failures[kind] = self._failures.get(kind, 0) + 1
        if not values["replayed"]:
            self._recent.append(time.monotonic())
        if study.get("role") != "reference":
            self._progress.update(self._task, advance=1, left=self._left())

    def _progress_of(self, values: dict[str, Any]) -> None:
        study = self._studies.setdefault(values["study_id"], dict(values))
        text = f"{values['metric']} {_number(values['value'], values['unit'])}"
        if values["epoch"] is not None:
            text += f", epoch {values['epoch']:g}"
        if values["train_s"] is not None:
            text += f", {values['train_s']:.3g} s"
        study["now"] = text

    def _trial_progress(self, values: dict[str, Any]) -> None:
        seconds = values["seconds"]
        study = self._studies.get(values["study_id"])
        if study is None or seconds < _SOON_S:
            return
        words = Doing(values["phase"], values["done"], values["text"]).words
        took = f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
        study["now"] = f"{took} {words}"
        due = self._logged.get(values["study_id"], _LOG_S)
        if self._live is None and seconds >= due:
            while due <= seconds:
                due *= 2
            self._logged[values["study_id"]] = due
            self._say(
                Text(
                    f"{values['benchmark']}  {values['optimizer']}  seed {values['seed']}: "
                    f"trial {study['number'] + 1} for {took}: {words}"
                )
            )

    def _study_finished(self, values: dict[str, Any]) -> None:
        study = self._studies.get(values["study_id"])
        if study is None:
            return
        study["status"] = values["status"]
        if self._live is None:
            best = _number(values["best"], study.get("unit"))
            self._say(
                Text(
                    f"{values['benchmark']}  {values['optimizer']}  seed {values['seed']}: "
                    f"{values['status']}, {values['trials']} trials, best {best}"
                )
            )
        if values["status"] == "failed" and values["message"] not in self._said:
            self._said.add(values["message"])  # one cause often fails all studies of a block
            self._say(Text(f"failed: {values['message']}", style="red"))

    def _say(self, text: Text) -> None:
        # soft: the terminal breaks long lines, and a log keeps one line per message
        self._console.print(text, soft_wrap=True)

    # -- drawing

    def _left(self) -> str:
        task = self._progress.tasks[0]
        if task.total is None or len(self._recent) < 5:
            return ""
        per_trial = (self._recent[-1] - self._recent[0]) / (len(self._recent) - 1)
        seconds = int(per_trial * max(0, task.total - task.completed))
        return f"about {seconds // 60}:{seconds % 60:02d} left"

    def _picture(self) -> Group:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for column in ("benchmark", "optimizer", "seed", "trials", "best", "failures", ""):
            table.add_column(
                column, justify="left" if column in {"benchmark", "optimizer"} else "right"
            )
        running = [s for s in self._studies.values() if not s["status"]]
        done = [s for s in self._studies.values() if s["status"]]
        shown = (done[-max(0, _ROWS - len(running)) :] if len(running) < _ROWS else []) + running
        for study in shown[-_ROWS:]:
            table.add_row(
                Text(str(study["benchmark"])),
                Text(str(study["optimizer"])),
                str(study["seed"]),
                f"{study['number']}/{study.get('evaluations') or '?'}"
                if study.get("role") != "reference"
                else str(study["number"]),
                _number(study.get("best"), study.get("unit")),
                str(study.get("failures") or ""),
                study["status"],
            )
        parts: list[Any] = [table, *self._under_way(running), self._progress.get_renderable()]
        if self._failures:
            kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(self._failures.items()))
            parts.append(Text(f"failed trials: {kinds}", style="yellow"))
        return Group(*parts)

    def _under_way(self, running: list[dict[str, Any]]) -> list[Text]:
        """Return a line for each trial under way of which something is known, cut at the edge."""
        shown = [study for study in running if study.get("now")][:_ROWS]
        several = len({study["benchmark"] for study in shown}) > 1
        return [
            Text(
                f"{study['benchmark'] + ' ' if several else ''}{study['optimizer']}, seed "
                f"{study['seed']}, trial {study['number'] + 1}: {study['now']}",
                style="dim",
                no_wrap=True,
                overflow="ellipsis",
            )
            for study in shown
        ]


def _number(value: float | None, unit: str | None) -> str:
    unit = "" if unit in (None, "1") else unit
    return "-" if value is None else f"{value:.4g} {unit}".rstrip()
