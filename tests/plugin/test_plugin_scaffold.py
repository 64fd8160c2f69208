"""A new project passes its own tests and the conformance kit as it is written."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from daybreak.errors import UserError
from daybreak.plugin.scaffold import KINDS, write_project

BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"


def install(project: Path, site: Path) -> None:
    """Build the wheel and unpack it, which is all that installing a pure wheel does."""
    wheels = site.parent / "wheels"
    wheels.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "-c", BUILD, str(wheels)], cwd=project, check=True, capture_output=True
    )
    for wheel in wheels.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(site)


def run(command: list[str], site: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_project_passes_its_tests_and_the_kit(tmp_path, kind):
    pytest.importorskip("hatchling")
    project = write_project(kind, tmp_path / "daybreak-abacus")
    site = tmp_path / "site"
    install(project.folder, site)
    own = run(["pytest", "-q", "-p", "no:cacheprovider"], site, project.folder)
    assert own.returncode == 0, own.stdout + own.stderr
    assert " passed" in own.stdout
    listed = run(["daybreak", "plugins", "doctor", "--json"], site, tmp_path)
    # other plugins may well lack a library here
    own_rows = [row for row in json.loads(listed.stdout) if row["plugin"] == "abacus"]
    assert {f"{kind} abacus"} <= {row["checked"] for row in own_rows}
    assert all(row["ok"] for row in own_rows), own_rows
    suite = project.folder / "suites" / "example.yaml"
    checked = run(["daybreak", "suites", "check", str(suite)], site, tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_project_passes_the_kit_without_code(tmp_path, kind):
    project = write_project(kind, tmp_path / "daybreak-abacus")
    site = tmp_path / "site"
    install(project.folder, site)
    command = ["pytest", "--pyargs", "daybreak.testing", "--daybreak-plugin", "abacus", "-q"]
    done = run([*command, "-p", "no:cacheprovider"], site, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_complete_and_well_formed(tmp_path, kind):
    project = write_project(kind, tmp_path / "daybreak-bead-counter")
    assert project.component == "bead-counter"
    assert project.distribution == "daybreak-bead-counter"
    assert project.package == "daybreak_bead_counter"
    names = {str(path) for path in project.files}
    package = "src/daybreak_bead_counter"
    assert {
        "README.md",
        "pyproject.toml",
        "suites/example.yaml",
        "tests/test_conformance.py",
        f"{package}/__init__.py",
        f"{package}/options.py",
        f"{package}/plugin.py",
        f"{package}/{kind}.py",
    } <= names
    for path in project.files:
        text = (project.folder / path).read_text(encoding="utf-8")
        assert "$" not in text.replace("$ ", ""), f"{path} has a placeholder left"
        if path.suffix == ".py":
            ast.parse(text)
        if path.suffix == ".yaml":
            yaml.safe_load(text)
        assert all(len(line) <= 100 for line in text.splitlines() if path.suffix == ".py"), path


def test_templates_are_formatted_and_clean(tmp_path):
    ruff = pytest.importorskip("ruff")
    assert ruff
    for kind in KINDS:
        project = write_project(kind, tmp_path / f"daybreak-{kind}-one")
        for command in (
            ["ruff", "check", "--isolated"],
            ["ruff", "format", "--check", "--isolated"],
        ):
            extra = (
                ["--line-length", "100"] if "format" in command else ["--select", "E4,E7,F,I,UP"]
            )
            done = run([*command, *extra, "."], tmp_path, project.folder)
            assert done.returncode == 0, done.stdout + done.stderr


def test_the_component_may_have_another_name(tmp_path):
    project = write_project("target", tmp_path / "daybreak-beads", name="abacus")
    assert project.component == "abacus"
    text = (project.folder / "pyproject.toml").read_text(encoding="utf-8")
    assert 'abacus = "daybreak_beads.plugin"' in text


@pytest.mark.parametrize(
    ("kind", "folder", "words"),
    [
        ("targets", "daybreak-x", "did you mean: target"),
        ("target", "Daybreak Abacus", "cannot be used"),
        ("target", "3d", "cannot be used"),
        ("target", "random", "would hide another one"),
        ("optimizer", "daybreak", "would hide another one"),
        ("optimizer", "daybreak-", "cannot be used"),
        ("optimizer", "class", "a word of Python's own[^$]*'daybreak-class'"),
        ("optimizer", "daybreak-none", "'None' is a word of Python's own"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_written(tmp_path, kind, folder, words):
    with pytest.raises(UserError, match=words):
        write_project(kind, tmp_path / folder)
    assert not (tmp_path / folder).exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    folder = tmp_path / "daybreak-abacus"
    folder.mkdir()
    (folder / "thesis.txt").write_text("do not touch")
    with pytest.raises(UserError, match="not an empty folder"):
        write_project("target", folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "daybreak-abacus").write_text("a file")
    with pytest.raises(UserError, match="not an empty folder"):
        write_project("target", tmp_path / "daybreak-abacus")
