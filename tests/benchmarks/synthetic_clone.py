"""Writes a folder like a clone of a round's MLPerf results: log lines among everything else that
training jobs print, descriptions of systems, and code that is no log."""

from __future__ import annotations

import json
import random
from pathlib import Path

__all__ = ["write_clone"]

_BENCHMARKS = {"resnet": (0.759, 0.02), "ssd": (0.23, 0.01), "unet3d": (0.908, 0.02)}


def write_clone(
    root: Path, *, submitters: int, systems: int, runs: int, noise_lines: int, seed: int = 0
) -> tuple[int, int]:
    """Write the clone; return its number of logs, and of bytes in them.

    Each submitter has `systems` systems, each of these every benchmark `runs` times; a log has
    `noise_lines` lines of other output between two evaluations.
    """
    draw = random.Random(seed)
    noise = _noise(draw)
    logs = size = 0
    for s in range(submitters):
        folder = root / f"Submitter{s}"
        code = folder / "benchmarks" / "resnet" / "implementation"
        code.mkdir(parents=True, exist_ok=True)
        for i in range(20):
            (code / f"module_{i}.py").write_text('log(":::MLLOG {}")\n' * 200)
        (folder / "systems").mkdir(exist_ok=True)
        for y in range(systems):
            system = f"{2**y}xnode"
            description = {"submitter": f"Submitter{s}", "accelerator_model_name": "X100"}
            (folder / "systems" / f"{system}.json").write_text(json.dumps(description))
            for benchmark, (target, step) in _BENCHMARKS.items():
                place = folder / "results" / system / benchmark
                place.mkdir(parents=True, exist_ok=True)
                for run in range(runs):
                    text = _log(draw, benchmark, target, step, noise, noise_lines)
                    (place / f"result_{run}.txt").write_bytes(text)
                    logs += 1
                    size += len(text)
    return logs, size


def _noise(draw: random.Random) -> list[bytes]:
    words = ["INFO", "step", "loss", "node", "NCCL", "ring", "lr", "throughput", "img/s", "grad"]
    return [
        " ".join(draw.choice(words) + str(draw.randrange(10_000)) for _ in range(16)).encode()
        for _ in range(500)
    ]


def _log(
    draw: random.Random,
    benchmark: str,
    target: float,
    step: float,
    noise: list[bytes],
    noise_lines: int,
) -> bytes:
    clock = 1_621_400_000_000 + draw.randrange(10**9)
    lines: list[bytes] = []

    def say(key: str, value: object = None, **metadata: object) -> None:
        content = {
            "namespace": "",
            "time_ms": clock,
            "event_type": "POINT_IN_TIME",
            "key": key,
            "value": value,
            "metadata": {"file": "/workspace/train.py", "lineno": 27, **metadata},
        }
        lines.append(b":::MLLOG " + json.dumps(content).encode())

    for key, value in (("benchmark", benchmark), ("org", "X"), ("division", "closed")):
        say(f"submission_{key}", value)
    for i in range(120):
        say(f"model_hp_layer_{i}", {"shape": [i, i, 3], "initializer": "truncated_normal"})
    say("global_batch_size", 4096)
    say("run_start")
    value, epoch = target - 30 * step, 0
    while value < target:
        epoch += 1
        say("epoch_start", epoch_num=epoch)
        lines.extend(draw.choices(noise, k=noise_lines))
        for i in range(20):
            say("tracked_stats", {"throughput": 1000.0 + i, "loss": 0.1}, step=epoch * 20 + i)
        clock += draw.randrange(10_000, 12_000)
        say("epoch_stop", epoch_num=epoch)
        say("eval_start", epoch_num=epoch)
        clock += 900
        value += step * draw.uniform(0.5, 2.0)
        say("eval_accuracy", round(value, 5), epoch_num=epoch)
        say("eval_stop", epoch_num=epoch)
    say("run_stop", status="success")
    return b"\n".join(lines) + b"\n"
