"""The floors of the house: imports point down only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

CORE = Path(__file__).parents[1] / "core" / "daybreak"
PLUGINS = Path(__file__).parents[1] / "plugins"

# a floor may import itself and what stands below it
FLOORS = {
    "errors": 0,
    "records": 0,
    "space": 1,
    "plugin": 2,
    "suite": 3,
    "measure": 4,
    "store": 4,
    "run": 5,
    "analysis": 6,
    "report": 7,
    "testing": 8,
    "cli": 9,
}
# neither may import the other
SIDE_BY_SIDE = [{"measure", "store"}]


def _modules() -> list[Path]:
    return sorted(CORE.rglob("*.py"))


def _floor(name: str) -> str:
    return name.split(".")[1] if "." in name else name


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
    return {name for name in found if name.split(".")[0] == "daybreak"}


@pytest.mark.parametrize("path", _modules(), ids=lambda p: str(p.relative_to(CORE)))
def test_imports_point_down(path: Path) -> None:
    own = path.relative_to(CORE).with_suffix("").parts[0]
    if own in {"__init__", "__main__"}:
        return
    assert own in FLOORS, f"{own} has no floor: give it one here and in docs/architecture.md"
    for name in _imports(path):
        if name == "daybreak":
            continue  # the version number
        other = _floor(name)
        assert other in FLOORS, f"{path} imports {name}, which has no floor"
        assert FLOORS[other] <= FLOORS[own], f"{own} imports {name}, which stands above it"
        for pair in SIDE_BY_SIDE:
            assert not (other != own and {own, other} <= pair), f"{own} and {other} are neighbours"


def test_lowest_floors_need_nothing_but_python() -> None:
    for name in ("records", "errors"):
        tree = ast.parse((CORE / f"{name}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert node.module in {
                    "__future__",
                    "collections.abc",
                    "dataclasses",
                    "daybreak.records",
                    "enum",
                    "pathlib",
                    "typing",
                }


@pytest.mark.parametrize("package", sorted(p.name for p in PLUGINS.iterdir() if p.is_dir()))
def test_plugins_use_the_public_api_only(package: str) -> None:
    for path in (PLUGINS / package).rglob("*.py"):
        for name in _imports(path):
            assert name == "daybreak" or name.startswith("daybreak.testing"), (
                f"{path.relative_to(PLUGINS)} imports {name}: plugins use what a third party may, "
                "the names that `daybreak` itself re-exports"
            )
