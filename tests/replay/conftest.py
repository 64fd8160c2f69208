"""Folders of their own for everything that the plugin keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daybreak.plugin import load_plugins


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep data and caches under the test's folder."""
    monkeypatch.setenv("DAYBREAK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def define() -> Callable[..., Any]:
    """Return a function that defines `replay/NAME` with options, as a suite would."""
    component = load_plugins().get("target", "replay")

    def make(name: str = "table", **options: Any) -> Any:
        if "path" in options:
            options["path"] = str(options["path"])
        return component.create().define(name, component.validate(options, benchmark=name))

    return make


@pytest.fixture
def opened(define: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that opens `replay/NAME` on a bench: (benchmark, bench)."""
    from daybreak.measure import open_bench
    from daybreak.plugin import Isolation
    from daybreak.records import Limits, MeasurementProtocol, Repeats

    benches = []

    def make(name: str = "table", *, repeats: int = 50, **options: Any) -> Any:
        benchmark = define(name, **options)
        bench = open_bench(
            factory="daybreak_replay.target:ReplayTarget",
            name=name,
            options=dict(benchmark.options),
            protocol=MeasurementProtocol(
                repeats=Repeats(min=repeats, max=repeats), hopeless=None, warmup="auto"
            ),
            limits=Limits(),
            isolation=Isolation.INLINE,
            devices=(),
            objectives=benchmark.objectives,
        )
        benches.append(bench)
        return benchmark, bench

    yield make
    for bench in benches:
        bench.close()
