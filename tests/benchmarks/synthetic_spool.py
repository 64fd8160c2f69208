"""Large spools made without running anything.

`make_spool` has many trials: whole columns at once, straight into Parquet. `make_campaign` has
many short studies, as lines that were never sealed.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from daybreak.records import Outcome, Sample, Trial, TrialStatus
from daybreak.store import RunWriter, StudyRow
from daybreak.store.codec import SCHEMA_VERSION, encode_line, encode_trial
from daybreak.store.sealing import segment_schema
from daybreak.store.segments import list_segments

__all__ = ["make_campaign", "make_spool"]

OPTIMIZERS = ("random", "baco", "tpe", "genetic")


def make_spool(
    results: Path,
    *,
    trials: int,
    samples: int = 10,
    per_study: int = 1000,
    per_segment: int = 100_000,
    seed: int = 0,
) -> None:
    """Write one run of `trials` trials with `samples` samples each, failures and references too.

    Studies go over ten benchmarks and four optimizers; five trials in a hundred fail. Trials of
    different studies alternate, as they do when several studies run at once.
    """
    rng = np.random.default_rng(seed)
    studies = [f"big/{i:05d}" for i in range(max(1, trials // per_study))]
    with RunWriter.create(results, "big", suite_key="big", row={"suite": "big"}) as writer:
        for b in range(10):
            writer.benchmark(
                {
                    "benchmark": f"toy/b{b}",
                    "target": "toy",
                    "objectives": [{"name": "time", "unit": "s", "direction": "minimize"}],
                }
            )
            reference = _study(f"big/reference-{b}", b, "expert", "reference", b)
            writer.study(reference)
        for i, study in enumerate(studies):
            writer.study(_study(study, i % 10, OPTIMIZERS[i // 10 % 4], "optimizer", i // 40))
        writer.finish("finished")
    folder = results / "spool" / "big"
    first = max(segment.number for segment in list_segments(folder)) + 1
    written, number = 0, first
    while written < trials:
        n = min(per_segment, trials - written)
        table = _segment(rng, np.arange(written, written + n), studies, samples)
        if written == 0:
            table = pa.concat_tables([_references(rng, samples), table])
            table = table.set_column(0, "position", pa.array(range(len(table)), pa.int64()))
        pq.write_table(table, folder / f"segment-{number:06d}.parquet", compression="zstd")
        written += n
        number += 1


def make_campaign(results: Path, *, studies: int, trials: int = 3) -> None:
    """Write one run of many short studies, as a suite over many benchmarks records them.

    Each block of eight studies opens its benchmark first; each study has a status at its begin and
    its end, readings off the machine, and `trials` trials. The lines are written directly: the
    writer waits for the disk at every status.
    """
    at = "2026-01-01T00:00:00.000000+00:00"
    with RunWriter.create(results, "many", suite_key="many", row={"suite": "many"}) as writer:
        folder = writer.folder
    (segment,) = list_segments(folder)
    with segment.path.open("ab") as file:

        def write(kind: str, **columns: object) -> None:
            line = {"type": kind, "schema_version": SCHEMA_VERSION, **columns}
            file.write(encode_line(line))

        for i in range(studies):
            block = i // 8
            if i % 8 == 0:
                write("benchmark", row=_opened(block % 40))
            study_id = f"many/{i:05d}"
            study = _study(study_id, block % 40, OPTIMIZERS[i % 4], "optimizer", i)
            write("study", row={name: getattr(study, name) for name in StudyRow.__slots__})
            write("study_status", study_id=study_id, status="running", message=None, at=at)
            readings = {"load": [0.5, 0.4, 0.3], "cpu": {"mhz": 3000.0, "governor": "performance"}}
            write("readings", study_id=study_id, at=at, values=readings)
            for number in range(trials):
                outcome = Outcome(
                    TrialStatus.OK,
                    objectives={"time": 1.0 + number},
                    samples=tuple(Sample("time", 1.0 + number, k) for k in range(3)),
                    phases={"build": 0.5, "measure": 0.1},
                )
                trial = Trial(number, {"tile": number}, outcome, started_at=at, total_s=0.6)
                file.write(encode_line(encode_trial(study_id, trial)))
            write("study_status", study_id=study_id, status="finished", message=None, at=at)


def _opened(benchmark: int) -> dict[str, object]:
    return {
        "benchmark": f"toy/b{benchmark}",
        "target": "toy",
        "objectives": [{"name": "time", "unit": "s", "direction": "minimize"}],
        "metrics": [{"name": "energy", "unit": "J"}],
        "space": {"parameters": [{"name": "tile", "type": "integer", "low": 0, "high": 4096}]},
        "identity": {"compiler": "cc 1.0"},
        "floors": {"time": 0.1},
    }


def _study(study_id: str, benchmark: int, optimizer: str, role: str, seed: int) -> StudyRow:
    return StudyRow(
        study_id=study_id,
        study_key=study_id,
        benchmark=f"toy/b{benchmark}",
        target="toy",
        optimizer=optimizer,
        component=optimizer,
        seed=seed,
        role=role,
        status="finished",
        thresholds=(
            {"name": "expert", "value": 1.0, "relative_to": "expert"},
            {"name": "half", "value": 0.5, "relative_to": "expert"},
        ),
    )


def _references(rng: np.random.Generator, samples: int) -> pa.Table:
    names = [f"big/reference-{b}" for b in range(10)]
    return _segment(rng, np.arange(10), names, samples, reference="expert", failures=0.0)


def _segment(
    rng: np.random.Generator,
    index: np.ndarray,
    studies: list[str],
    samples: int,
    *,
    reference: str | None = None,
    failures: float = 0.05,
) -> pa.Table:
    n = len(index)
    schema = segment_schema()
    number = index // len(studies)
    ok = rng.random(n) >= failures
    value = rng.lognormal(0.0, 1.0, n)
    texts = pa.array(
        [json.dumps({"tile": int(t), "order": [0, 1, 2], "unroll": 4}) for t in number % 4096]
    )
    repeats = np.where(ok, samples, 0)
    offsets = np.concatenate([[0], np.cumsum(repeats)]).astype(np.int32)
    total = int(offsets[-1])
    position_in_trial = np.arange(total) - np.repeat(offsets[:-1], repeats)
    sample = pa.StructArray.from_arrays(
        [
            pa.DictionaryArray.from_arrays(pa.array(np.zeros(total, np.int32)), ["time"]).cast(
                pa.string()
            ),
            pa.array(np.repeat(value, repeats) * rng.normal(1.0, 0.02, total)),
            pa.array(position_in_trial, pa.int64()),
        ],
        names=["metric", "value", "i"],
    )
    ones = np.ones(n)
    columns: dict[str, pa.Array] = {
        "position": pa.array(index - index[0], pa.int64()),
        "type": _words(np.zeros(n, np.int32), ["trial"]),
        "study_id": _words((index % len(studies)).astype(np.int32), studies),
        "number": pa.array(number, pa.int64()),
        "status": _words((~ok).astype(np.int32), ["ok", "failed"]),
        "failure_kind": pa.array(np.where(ok, None, "build")).cast(schema.field("type").type),
        "started_at": pa.array(["2026-01-01T00:00:00.000000+00:00"] * n),
        "configuration": texts,
        "ask_s": pa.array(ones * 1e-4),
        "tell_s": pa.array(ones * 1e-4),
        "total_s": pa.array(value + 0.5),
        "elapsed_s": pa.array((number + 1) * 1.5),
        "low": pa.array(value * 0.99),
        "high": pa.array(value * 1.01),
        "objectives": pa.MapArray.from_arrays(
            pa.array(np.arange(n + 1), pa.int32()),
            pa.array(["time"] * n),
            pa.array(np.where(ok, value, np.nan), from_pandas=True),
        ),
        "phases": pa.MapArray.from_arrays(
            pa.array(np.arange(n + 1) * 2, pa.int32()),
            pa.array(["build", "measure"] * n),
            pa.array(np.full(2 * n, 0.2)),
        ),
        "samples": pa.ListArray.from_arrays(pa.array(offsets), sample),
    }
    if reference is not None:
        columns["reference"] = _words(np.zeros(n, np.int32), [reference])
    arrays = [
        columns[field.name].cast(field.type) if field.name in columns else pa.nulls(n, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _words(codes: np.ndarray, words: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), words)
