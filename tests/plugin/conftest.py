"""Distributions on disk, put on the path and taken off again."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from daybreak.testing import write_distribution

BROKEN = Path(__file__).parent / "broken"


@pytest.fixture(scope="session")
def catalogue() -> dict[str, dict[str, Any]]:
    """What each broken plugin is found out by."""
    return tomllib.loads((BROKEN / "catalogue.toml").read_text(encoding="utf-8"))


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Return a function that installs modules of tests/plugin/broken; undone after the test."""
    folder = tmp_path / "site"
    monkeypatch.syspath_prepend(str(folder))
    for name in ("DAYBREAK_PLUGINS", "DAYBREAK_DISABLE_PLUGINS", "DAYBREAK_STRICT_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DAYBREAK_DISABLE_PLUGIN_AUTOLOAD", "")
    before = set(sys.modules)

    def install(module: str, *, distribution: str | None = None, **more: Any) -> Path:
        name = distribution or f"broken-{module.replace('_', '-')}"
        more.setdefault("plugins", {module: module})
        source = BROKEN / f"{module}.py"
        more.setdefault("modules", {f"{module}.py": source.read_text(encoding="utf-8")})
        return write_distribution(folder, name, **more)

    yield install
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(folder)):
            del sys.modules[name]
