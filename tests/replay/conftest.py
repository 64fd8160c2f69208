"""Folders of their own for everything that the plugin keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daybreak.plugin import load_plugins


@pytest.fixture(scope="session")
def cache_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for all tests' caches: the shipped tables are parsed once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, cache_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep data under the test's folder, and caches away from the user's."""
    monkeypatch.setenv("DAYBREAK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_home))
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
