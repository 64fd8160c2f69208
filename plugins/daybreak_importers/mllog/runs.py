"""Puts a training run together from the lines of a log: clocks, evaluations, how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from daybreak_importers.mllog.lines import Damaged, Line
from daybreak_importers.text import as_text, find_number

__all__ = ["Evaluation", "Run", "assemble"]

_TRAINING = frozenset({"train_epoch", "epoch_start", "block_start"})
_EVALUATION = frozenset({"eval_accuracy", "eval_result"})
_CONFIGURATION = (
    "global_batch_size",
    "gradient_accumulation_steps",
    "opt_name",
    "opt_base_learning_rate",
    "opt_learning_rate",
)
_RUNNING = frozenset({"run_start", "run_stop", "eval_start", "eval_stop", *_TRAINING, *_EVALUATION})
#: Ranks of one job log the same event within this many seconds.
_RANKS_S = 60.0
#: An epoch beyond this is a number of samples under the name of an epoch (BERT, say).
_MOST_EPOCHS = 10_000.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation: line, epochs done and step if known, seconds of both clocks since run_start
    if they can be told, and its numbers: by metric's name, or ``""`` where the log names none.
    """

    line: int
    epoch: float | None
    step: int | None
    train_s: float | None
    wall_s: float | None
    values: Mapping[str, float]


@dataclass(slots=True)
class Run:
    """One training run.

    Attributes:
        line: line of its run_start, or of its first line.
        place: which run of the log it is, from 0.
        benchmark: name that the lines give; None: none.
        dialect: of its lines.
        began: UTC seconds at run_start; None: no line has a time.
        seconds: from run_start to run_stop; None: there is no run_stop, or no believable one.
        success: what the log says; None: nothing.
        ended: whether there is a run_stop.
        evaluations: in the order of the log.
        paused_s: evaluation time that the training clock leaves out.
        concurrent: whether evaluation went on beside training.
        init_s: from init_start to init_stop.
        facts: submission, seed, batch size, ... as logged.
        target: eval_target as logged, if it is a number.
        remarks: what is odd: line (None: the run as a whole) and sentence.
        repeated: lines that only repeat others.
        lost: evaluations without a number, by line.
    """

    line: int
    place: int = 0
    benchmark: str | None = None
    dialect: str = ""
    began: float | None = None
    seconds: float | None = None
    success: bool | None = None
    ended: bool = False
    evaluations: list[Evaluation] = field(default_factory=list)
    paused_s: float = 0.0
    concurrent: bool = False
    init_s: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    target: float | None = None
    remarks: list[tuple[int | None, str]] = field(default_factory=list)
    repeated: int = 0
    lost: list[int] = field(default_factory=list)

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
        same = (line.time, line.key, repr(line.value), *_epoch(line))
        if same in seen:
            repeated += 1
            continue
        seen.add(same)
        if line.key == "run_start" and _begins(line, segments):
            segments.append((_announcement(segments) or header, []))
        (segments[-1][1] if segments else header).append(line)
    if not segments and any(line.key in _EVALUATION for line in header):
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
    if any(other.key in ("run_stop", *_EVALUATION) for other in begun):
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
    shift = _epoch_shift(segment)
    if shift:
        run.facts["epochs_from"] = 0
    run.evaluations = list(_evaluate(run, segment, shift))
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


def _epoch(line: Line) -> tuple[float | None, int | None]:
    """Return the epoch and the step or number of samples that a line names."""
    given: Mapping[str, Any] = line.metadata
    if isinstance(line.value, dict):
        given = {**line.value, **given}
    epoch = find_number(given.get("epoch_num", given.get("epoch")))
    if epoch is None and line.key in ("eval_start", "eval_stop", "train_epoch"):
        epoch = None if isinstance(line.value, dict) else find_number(line.value)
    step = None
    for name in ("step_num", "step", "iteration_num", "iteration", "samples_count", "samples"):
        found = find_number(given.get(name))
        if found is not None and 0 <= found < 1 << 62:
            step = int(found)
            break
    if epoch is not None and epoch > _MOST_EPOCHS:
        step, epoch = (int(epoch) if step is None and epoch < 1 << 62 else step), None
    if epoch is not None and epoch < 0:
        epoch = None
    return epoch, step


def _epoch_shift(segment: list[Line]) -> int:
    """Return 1 if evaluations name the epoch that they follow counting from 0, else 0.

    Told by the first evaluation: if training began with an epoch 0 and the evaluation names an
    epoch that had begun, not the number of epochs that were done.
    """
    first: float | None = None
    begun: float | None = None
    for line in segment:
        if line.key in _TRAINING:
            epoch = find_number(line.metadata.get("first_epoch_num"))
            count = find_number(line.metadata.get("epoch_count")) or 1
            if epoch is None:
                epoch, count = _epoch(line)[0], 1
            if epoch is not None:
                first = epoch if first is None else min(first, epoch)
                begun = epoch + count - 1
        elif line.key in ("eval_start", "eval_accuracy"):
            epoch = _epoch(line)[0]
            if epoch is not None:
                return int(first == 0 and begun is not None and epoch <= begun)
    return 0


def _values(line: Line) -> dict[str, float] | None:
    """Return the numbers of an evaluation, None if there is none."""
    value = line.value
    if isinstance(value, dict) and "value" in value:
        value = value["value"]
    if isinstance(value, dict):
        found = {
            str(name).lower(): number
            for name, given in value.items()
            if str(name).lower() not in ("epoch", "epoch_num", "iteration", "step", "step_num")
            and (number := find_number(given)) is not None
        }
        return found or None
    if isinstance(value, list):
        numbers = [number for given in value if (number := find_number(given)) is not None]
        return {f"#{place}": number for place, number in enumerate(numbers)} or None
    number = find_number(value)
    if number is None:
        return None
    named = as_text(line.metadata.get("metric"))
    return {named.lower() if named else "": number}


def _is_concurrent(segment: list[Line], *, stops: bool) -> bool:
    """Return whether training, or another evaluation, begins while one is under way."""
    under_way: set[float | None] = set()
    for line in segment:
        epoch = _epoch(line)[0]
        if line.key == "eval_start":
            if under_way and epoch not in under_way:
                return True
            under_way.add(epoch)
        elif line.key == "eval_stop" or (not stops and line.key == "eval_accuracy"):
            if epoch in under_way:
                under_way.discard(epoch)
            else:
                under_way.clear()
        elif line.key in _TRAINING and under_way:
            return True
    return False


def _evaluate(run: Run, segment: list[Line], shift: int) -> Iterator[Evaluation]:
    """Yield the evaluations with their clocks.

    The training clock of an evaluation is read when it begins. It stands still during evaluations
    unless those go on beside training.
    """
    stops = any(line.key == "eval_stop" for line in segment)
    run.concurrent = _is_concurrent(segment, stops=stops)
    # begun evaluations that no result has been seen of: epoch as logged, training clock
    waiting: list[tuple[float | None, float]] = []
    latest: float | None = None
    open_since: float | None = None
    bracketed = True
    recent: dict[object, float | None] = {}
    for line in segment:
        time = None if line.time is None or run.began is None else line.time - run.began
        epoch, step = _epoch(line)
        if line.key == "eval_start" and time is not None and open_since is None:
            open_since = time
            waiting.append((epoch, time - run.paused_s))
        elif line.key == "eval_start" and time is not None and run.concurrent:
            if all(epoch != other for other, _ in waiting):
                waiting.append((epoch, time))
        elif line.key == "eval_stop" or (not stops and line.key in _EVALUATION):
            if open_since is not None and time is not None and not run.concurrent:
                run.paused_s += max(0.0, time - open_since)
            open_since = None
        if line.key not in _EVALUATION:
            continue
        values = _values(line)
        if values is None:
            run.lost.append(line.number)
            continue
        named = find_number(line.metadata.get("timestamp"))
        if line.key == "eval_result" and named is None:
            continue  # a summary of what eval_accuracy said
        same = (line.key, epoch, step, tuple(sorted(values.items())))
        if same in recent and _is_repeat(line.time, recent[same], named_epoch=epoch is not None):
            run.repeated += 1
            continue
        recent[same] = line.time
        train, wall = None, time
        place = next((i for i, (other, _) in enumerate(waiting) if other == epoch), 0)
        if waiting:
            latest = waiting.pop(place)[1]
            train = latest
        elif latest is not None:
            train = latest
        else:
            bracketed = False
            train = wall
        if wall is None:
            run.remarks.append((line.number, "no time: the evaluation has no clock"))
            train = None
        elif wall < 0:
            run.remarks.append((line.number, "negative time: before run_start, so without a clock"))
            train = wall = None
        elif named is not None and 0 <= named <= (run.seconds or named) + 1:
            train = wall = named
        elif run.seconds is not None and wall > run.seconds + 1.0:
            run.remarks.append((line.number, "after run_stop: the evaluation has no clock"))
            train = wall = None
        if train is not None and train < 0:
            train = None
        if epoch is not None:
            epoch += shift
        yield Evaluation(line.number, epoch, step, train, wall, values)
    if not bracketed:
        run.remarks.append((None, "no eval_start: train_s contains evaluation"))


def _is_repeat(time: float | None, before: float | None, *, named_epoch: bool) -> bool:
    """Return whether equal results at these times are one evaluation, logged by several ranks."""
    if time is None or before is None:
        return True
    return abs(time - before) <= (_RANKS_S if named_epoch else 0.5)
