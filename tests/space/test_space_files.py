"""Space files: both spellings are read, and every fault names its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from daybreak.errors import SpaceError
from daybreak.space import load_space

GOOD = """\
name: mine
parameters:
  - name: tile
    type: ordinal
    values: [1, 2, 4]
    log: true
    default: 2
  - name: schedule
    type: categorical
    values: [static, dynamic]
  - {name: chunk, type: integer, low: 1, high: 9, default: 3, when: schedule == "dynamic"}
  - {name: ratio, type: real, low: 0, high: 1}
  - {name: order, type: permutation, length: 3}
  - {name: kernel, type: program, baseline: "x = 1", language: python}
constraints:
  - tile < 4
  - pos(order, 0) < pos(order, 2)
references:
  expert: {tile: 2, schedule: static, chunk: 3, ratio: 0.5, order: [0, 1, 2], kernel: y}
  default: the compiler's own choice
published: {note: none}
notes:
  - A note.
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "space.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_our_own_spelling(tmp_path: Path) -> None:
    space = load_space(write(tmp_path, GOOD))
    assert space.name == "mine"
    assert [p.type for p in space.parameters] == [
        "ordinal",
        "categorical",
        "integer",
        "real",
        "permutation",
        "program",
    ]
    assert [c.text for c in space.constraints] == ["tile < 4", "pos(order, 0) < pos(order, 2)"]
    assert space.references["expert"] in space
    assert space.references["expert"]["order"] == (0, 1, 2)
    assert space.notes == ("A note.", "default: the compiler's own choice")
    assert space.published == {"note": "none"}


def test_the_name_falls_back_to_the_file(tmp_path: Path) -> None:
    assert load_space(str(write(tmp_path, "parameters: {a: [1, 2]}"))).name == "space"


def test_described_values(tmp_path: Path) -> None:
    text = """\
parameters:
  - name: a
    type: ordinal
    values: {enumeration: "1 followed by the even numbers 2..10", count: 6}
"""
    assert load_space(write(tmp_path, text))["a"].to_dict()["values"] == [1, 2, 4, 6, 8, 10]
    for wrong in ("count: 6", "count: 7", "2..10", "a few"):
        changed = text.replace("count: 6", "count: 7") if wrong == "count: 7" else text
        if wrong in ("2..10", "a few"):
            changed = text.replace("1 followed by the even numbers 2..10", wrong)
        if wrong != "count: 6":
            with pytest.raises(SpaceError) as caught:
                load_space(write(tmp_path, changed))
            assert caught.value.line == 2


@pytest.mark.parametrize(
    ("old", "new", "line", "message", "close"),
    [
        ("tile < 4", "tiel < 4", 16, "no parameter 'tiel'", "tile"),
        ("tile < 4", "tile <", 16, "column 7", None),
        ("- tile < 4", "- 3", 16, "must be text", None),
        ("type: ordinal", "type: ordnal", 3, "unknown parameter type", "ordinal"),
        ("    log: true", "    log_scale: true", 3, "unknown key 'log_scale'", "log"),
        ("    default: 2", "    default: 3", 3, "default 3", None),
        ("[1, 2, 4]", "[]", 3, "empty", None),
        ("[1, 2, 4]", "[1, 1]", 3, "twice", None),
        ("low: 1, high: 9", "low: 9, high: 1", 11, "above", None),
        ("{name: ratio", "{name: tile", 3, "two parameters", None),
        ('schedule == "dynamic"', "schdule == 1", 3, "no parameter 'schdule'", "schedule"),
        ("constraints:", "constraint:", 16, "unknown key 'constraint'", "constraints"),
        ("parameters:", "parmeters:", 3, "unknown key 'parmeters'", "parameters"),
        ("constraints:\n", "constraints: tile < 4\nx:\n", 15, "must be a list", None),
        ("references:\n", "references: [1]\nx:\n", 18, "must map names", None),
    ],
)
def test_faults_name_their_line(
    tmp_path: Path, old: str, new: str, line: int, message: str, close: str | None
) -> None:
    assert old in GOOD
    file = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(SpaceError) as caught:
        load_space(file)
    error = caught.value
    assert message in error.message
    assert (error.file, error.line) == (str(file), line)
    assert error.nearest == close


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no mapping"),
        ("- 1", "no mapping"),
        ("a: [", "not YAML"),
        ("a: !!python/object/apply:os.system [ls]", "not YAML"),
        ("name: x", "no `parameters`"),
        ("parameters: []", "must be a list and not empty"),
        ("parameters: 3", "must be a list and not empty"),
        ("parameters: [3]", "must be a mapping"),
        ("parameters: {a: 3}", "must be a list"),
        ("a: " + "[" * 5000, "nested too deeply"),
    ],
)
def test_files_that_are_no_spaces(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SpaceError, match=message) as caught:
        load_space(write(tmp_path, text))
    assert caught.value.file is not None


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpaceError, match="cannot be read"):
        load_space(tmp_path / "missing.yaml")
    with pytest.raises(SpaceError, match="cannot be read"):
        load_space(tmp_path)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(SpaceError, match="UTF-8"):
        load_space(binary)
    monkeypatch.setattr("daybreak.space.source._MAX_BYTES", 10)
    with pytest.raises(SpaceError, match="larger than"):
        load_space(write(tmp_path, GOOD))


def test_one_space_has_no_data_sets(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match="no data set 'x'"):
        load_space(write(tmp_path, GOOD), dataset="x")


def test_references_may_be_wrong_without_hindering(tmp_path: Path) -> None:
    text = GOOD.replace("tile: 2, schedule: static", "tile: 3, other: static")
    space = load_space(write(tmp_path, text))
    found: list[Any] = space.violations(space.references["expert"])
    assert len(found) == 3
