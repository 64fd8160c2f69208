"""The example is a third party's distribution: found when installed, on the public API alone."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import daybreak

EXAMPLE = Path(__file__).parents[2] / "examples" / "daybreak-example"
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("example")
    command = [sys.executable, "-c", BUILD, str(folder)]
    subprocess.run(command, cwd=EXAMPLE, check=True, capture_output=True)
    (wheel,) = folder.glob("daybreak_example-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def run(site: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_it_is_found_and_brings_both_components(site, tmp_path):
    done = run(site, "daybreak", "plugins", "list", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = next(one for one in json.loads(done.stdout) if one["name"] == "example")
    assert record["status"] == "ok"
    assert record["distribution"] == "daybreak-example"
    assert record["components"] == {"target": ["cmatmul"], "optimizer": ["hill-climb"]}


def test_its_suite_is_valid(site, tmp_path):
    suite = str(EXAMPLE / "suites" / "example.yaml")
    done = run(site, "daybreak", "suites", "check", suite, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "4 studies" in done.stdout


def test_it_uses_only_what_daybreak_exports():
    for path in EXAMPLE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            if node.module.partition(".")[0] != "daybreak":
                continue
            assert node.module in ("daybreak", "daybreak.testing"), f"{path}: {node.module}"
            if node.module == "daybreak":
                private = {alias.name for alias in node.names} - set(daybreak.__all__)
                assert not private, f"{path} imports {private}"


@pytest.mark.slow
def test_its_own_tests_pass(site):
    done = run(site, "pytest", "-q", "-p", "no:cacheprovider", cwd=EXAMPLE)
    assert done.returncode == 0, done.stdout + done.stderr
