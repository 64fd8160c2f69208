from __future__ import annotations

import sys
from pathlib import Path

import pytest

from daybreak import find_program


def program(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_the_first_that_runs_is_taken(alone: Path) -> None:
    program(alone, "fails", "sys.exit(1)")
    program(alone, "silent", "")
    works = program(alone, "works", "print('works 1.2'); print('more')")
    program(alone, "later", "print('later 3')")
    found = find_program(None, ("missing", "fails", "silent", "works", "later"))
    assert found is not None
    assert found.command == (str(works),)
    assert found.version == "works 1.2"


def test_what_was_asked_for_is_all_that_will_do(alone: Path) -> None:
    program(alone, "usual", "print('usual')")
    asked = program(alone, "asked", "print(sys.argv[1:])")
    found = find_program("asked -a 'b c'", ("usual",))
    assert found is not None
    assert found.command == (str(asked), "-a", "b c")
    assert found.version == "['-a', 'b c', '--version']"
    assert find_program("missing", ("usual",)) is None


def test_an_empty_wish_is_none(alone: Path) -> None:
    usual = program(alone, "usual", "print('usual')")
    found = find_program("  ", ("usual",))
    assert found is not None
    assert found.command == (str(usual),)
    assert find_program("", ("missing",)) is None
