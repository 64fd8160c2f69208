"""How fast other tools' results are imported: files and MB per second.

    pytest tests/benchmarks/test_importers_speed.py --benchmark-only --override-ini addopts= \
        -p no:cacheprovider
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from synthetic_clone import write_clone

from daybreak.plugin import load_plugins
from daybreak.run.importing import import_file
from daybreak_importers.mllog.lines import read_lines


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, int]:
    root = tmp_path_factory.mktemp("training_results_v1.0")
    logs, size = write_clone(root, submitters=4, systems=3, runs=5, noise_lines=60)
    return root, logs, size


def test_scan_logs(clone: tuple[Path, int, int], benchmark: Any) -> None:
    root, logs, size = clone
    paths = sorted(root.rglob("result_*.txt"))

    def scan() -> int:
        return sum(1 for path in paths for _ in read_lines(path))

    assert benchmark.pedantic(scan, rounds=3) > 20 * logs
    benchmark.extra_info.update(_rates(logs, size, benchmark))


def test_import_mllog(clone: tuple[Path, int, int], benchmark: Any, tmp_path: Path) -> None:
    root, logs, size = clone
    registry = load_plugins()
    count = itertools.count()

    def run() -> Any:
        return import_file(registry, "mllog", root, results=tmp_path / f"results-{next(count)}")

    done = benchmark.pedantic(run, rounds=2)
    assert done.collected.added == logs
    benchmark.extra_info.update(_rates(logs, size, benchmark))


def test_import_mllog_again(clone: tuple[Path, int, int], benchmark: Any, tmp_path: Path) -> None:
    root, logs, size = clone
    registry = load_plugins()
    import_file(registry, "mllog", root, results=tmp_path)
    done = benchmark.pedantic(
        lambda: import_file(registry, "mllog", root, results=tmp_path), rounds=2
    )
    assert (done.collected.added, done.collected.known) == (0, logs)
    benchmark.extra_info.update(_rates(logs, size, benchmark))


def test_import_dawnbench(benchmark: Any, tmp_path: Path) -> None:
    folder = tmp_path / "entries" / "CIFAR10" / "train"
    folder.mkdir(parents=True)
    size = 0
    for entry in range(500):
        rows = "".join(f"{e}\t{e * 0.01 + entry * 1e-6}\t{e * 0.6}\n" for e in range(1, 161))
        text = "epoch\thours\ttop1Accuracy\n" + rows
        (folder / f"entry_{entry}.tsv").write_text(text)
        (folder / f"entry_{entry}.json").write_text('{"author": "x", "costPerHour": 1.5}')
        size += len(text)
    registry = load_plugins()
    count = itertools.count()

    def run() -> Any:
        results = tmp_path / f"results-{next(count)}"
        return import_file(registry, "dawnbench", tmp_path / "entries", results=results)

    done = benchmark.pedantic(run, rounds=2)
    assert done.collected.added == 500
    benchmark.extra_info.update(_rates(1000, size, benchmark))


def _rates(files: int, size: int, benchmark: Any) -> dict[str, float]:
    if benchmark.stats is None:
        return {}
    seconds = benchmark.stats.stats.min
    return {
        "files": files,
        "MB": round(size / 1e6, 1),
        "files/s": round(files / seconds, 1),
        "MB/s": round(size / 1e6 / seconds, 1),
    }
