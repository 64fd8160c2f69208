"""Puts a training run together from the lines of a log: clocks, evaluations, how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from daybreak_importers.mllog.clocks import position
from daybreak_importers.mllog.evaluations import EVALUATION, Evaluated, epoch_shift, evaluate
from daybreak_importers.mllog.lines import Damaged, Line
from daybreak_importers.text import as_text, find_number

__all__ = ["Run", "assemble"]

_CONFIGURATION = (
    "global_batch_size",
    "gradient_accumulation_steps",
    "opt_name",
    "opt_base_learning_rate",
    "opt_learning_rate",
)
_RUNNING = EVALUATION | {
    *("run_start", "run_stop", "eval_start", "eval_stop", "save_model"),
    *("train_epoch", "epoch_start", "epoch_stop", "block_start", "block_stop"),
}
#: Ranks of one job log the same event within this many seconds.
_RANKS_S = 60.0


@dataclass(slots=True)
class Run:
    """One training run.

    Attributes:
        line: line of its run_start, or of its first line.
        place: which run of the log it is, from 0.
        benchmark: name that the lines give; None: none.
        dialect: of its lines.
        began: UTC seconds at run_start; None: no line has a time.
        seconds: from run_start to run_stop, or to the model that reached the target where it was
            found out afterwards (Minigo); None: there is no run_stop, or no believable one.
        success: what the log says; None: nothing.
        ended: whether there is a run_stop.
        evaluated: its evaluations.
        init_s: from init_start to init_stop.
        facts: submission, seed, batch size, ... as logged.
        target: eval_target as logged, if it is a number.
        remarks: what is odd: line (None: the run as a whole) and sentence.
        repeated: lines that only repeat others, evaluations' aside.
    """

    line: int
    place: int = 0
    benchmark: str | None = None
    dialect: str = ""
    began: float | None = None
    seconds: float | None = None
    success: bool | None = None
    ended: bool = False
    evaluated: Evaluated = field(default_factory=Evaluated)
    init_s: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    target: float | None = None
    remarks: list[tuple[int | None, str]] = field(default_factory=list)
    repeated: int = 0

    @property
    def configuration(self) -> dict[str, int | float | str]:
        """The hyperparameters that were logged."""
        found: dict[str, int | float | str] = {}
        for name in _CONFIGURATION:
            value = self.facts.get(name)
            if isinstance(value, int | float | str) and not isinstance(value, bool) and value != "":
                found[name] = value
        return found


def assemble(lines: Iterable[Line | Damaged]) -> list[Run]:
    """Return the training runs of a log; a log may hold several, or none.

    Lines before the first run_start (submission, hyperparameters) are every run's. A log with
    evaluations but no run_start is one run that begins with its first line.
    """
    damaged: list[Damaged] = []
    header: list[Line] = []
    segments: list[tuple[list[Line], list[Line]]] = []
    seen: set[tuple[object, ...]] = set()
    repeated = 0
    for line in lines:
        if isinstance(line, Damaged):
            damaged.append(line)
            continue
        same = (line.time, line.key, repr(line.value), *position(line))
        if same in seen:
            repeated += 1
            continue
        seen.add(same)
        if line.key == "run_start" and _begins(line, segments):
            segments.append((_announcement(segments) or header, []))
        (segments[-1][1] if segments else header).append(line)
    if not segments and any(line.key in EVALUATION for line in header):
        segments = [([], header)]
    runs = [_run(place, *parts) for place, parts in enumerate(segments)]
    for torn in damaged:
        what = "cut in the middle: the log's last line" if torn.last else "damaged line: not read"
        owner = max((run for run in runs if run.line <= torn.number), key=_line, default=None)
        if owner is None and runs:
            owner = runs[0]
        if owner is not None:
            owner.remarks.append((torn.number, what))
    if runs:
        runs[0].repeated += repeated
    return runs


def _line(run: Run) -> int:
    return run.line


def _announcement(segments: list[tuple[list[Line], list[Line]]]) -> list[Line]:
    """Take what follows the end of the last run away from it: it announces the next one."""
    if not segments:
        return []
    lines = segments[-1][1]
    place = len(lines)
    while place and lines[place - 1].key not in _RUNNING:
        place -= 1
    taken, lines[place:] = lines[place:], []
    return taken


def _begins(line: Line, segments: list[tuple[list[Line], list[Line]]]) -> bool:
    """Return whether a run_start begins a run, or is another rank's of the one that has begun."""
    if not segments:
        return True
    begun = segments[-1][1]
    if any(other.key in ("run_stop", *EVALUATION) for other in begun):
        return True
    first = begun[0].time
    return first is not None and line.time is not None and abs(line.time - first) > _RANKS_S


def _run(place: int, header: list[Line], segment: list[Line]) -> Run:
    first = segment[0]
    run = Run(first.number, place, dialect=first.dialect)
    for line in (*header, *segment):
        _take_fact(run, line)
    inits = {line.key: line.time for line in header if line.time is not None}
    if (start := inits.get("init_start")) is not None and (stop := inits.get("init_stop")):
        run.init_s = max(0.0, stop - start)
    run.began = first.time
    if first.key != "run_start":
        run.began = min((line.time for line in segment if line.time is not None), default=None)
        run.remarks.append((first.number, "no run_start: clocks begin with the first line"))
    elif first.time is None:
        run.remarks.append((first.number, "no time: run_start has none, so there are no clocks"))
    _end(run, segment)
    if epoch_shift(segment):
        run.facts["epochs_from"] = 0
    run.evaluated = evaluate(segment, run.began, run.seconds)
    run.remarks += run.evaluated.remarks
    return run


def _take_fact(run: Run, line: Line) -> None:
    if line.benchmark and run.benchmark is None:
        run.benchmark = line.benchmark
    if line.key == "submission_benchmark":
        run.benchmark = as_text(line.value) or run.benchmark
    elif line.key in ("eval_target", "target_accuracy", "quality_target"):
        value = line.value.get("value") if isinstance(line.value, dict) else line.value
        if (target := find_number(value)) is not None:
            run.target = target
    elif line.key in _CONFIGURATION or line.key.startswith("submission_"):
        value = line.value
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            text = as_text(value)
            kept = value if not isinstance(value, str) else text
            if kept is not None and kept != "":
                run.facts.setdefault(line.key, kept)
    elif line.key in ("seed", "run_set_random_seed", "train_samples", "eval_samples"):
        key = "seed" if line.key == "run_set_random_seed" else line.key
        if find_number(line.value) is not None or isinstance(line.value, str):
            run.facts.setdefault(key, as_text(line.value))


def _end(run: Run, segment: list[Line]) -> None:
    stops = [line for line in segment if line.key == "run_stop"]
    if not stops:
        return
    run.ended = True
    flags = [flag for line in stops if (flag := _flag(line)) is not None]
    if flags:
        run.success = flags[0]
        if len(set(flags)) > 1:
            line = stops[-1].number
            run.remarks.append(
                (line, "run_stop twice: once as a success, once not; the first counts")
            )
    stop = stops[0]
    if stop.time is None or run.began is None:
        run.remarks.append((stop.number, "no time: run_stop has none, so the run has no length"))
    elif stop.time < run.began:
        run.remarks.append((stop.number, "negative time: run_stop is before run_start"))
    else:
        run.seconds = stop.time - run.began
        _take_score(run, segment)


def _take_score(run: Run, segment: list[Line]) -> None:
    """Let a run end where its log says that the target was reached, found out afterwards.

    MLPerf scores Minigo by the timestamp of eval_result: ``0.6.0/score.yaml`` of its checker.
    """
    for line in segment:
        score = find_number(line.metadata.get("timestamp")) if line.key == "eval_result" else None
        if score is not None and run.seconds is not None and 0 < score < run.seconds:
            what = (
                f"scored by eval_result: {score:g} s, though the log goes on to {run.seconds:g} s"
            )
            run.remarks.append((line.number, what))
            run.seconds = score


def _flag(line: Line) -> bool | None:
    """Return whether a run_stop says success or not; None: it says nothing."""
    given = [line.metadata.get("status")]
    if isinstance(line.value, dict):
        given += [line.value.get("success"), line.value.get("status")]
    else:
        given.append(line.value)
    for flag in given:
        if isinstance(flag, bool):
            return flag
        if isinstance(flag, str):
            word = flag.strip().lower()
            if word in ("success", "true", "succeeded"):
                return True
            if word in ("aborted", "abort", "false", "failed", "failure"):
                return False
    return None
