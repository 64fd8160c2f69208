"""Matrix Market and FROSTT files, good and bad."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from daybreak import UserError
from daybreak_taco.data import load_matrix, load_tensor

GENERAL = (
    "%%MatrixMarket matrix coordinate real general\n% comment\n\n2 3 3\n1 1 1.5\n2 3 -2e0\n1 2 4\n"
)


def write(folder: Path, text: str, name: str = "m.mtx") -> str:
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", ["m.mtx", "m.mtx.gz"])
def test_general_matrices(tmp_path: Path, name: str) -> None:
    matrix = load_matrix(write(tmp_path, GENERAL, name))
    assert matrix.toarray().tolist() == [[1.5, 4.0, 0.0], [0.0, 0.0, -2.0]]


@pytest.mark.parametrize(
    ("field", "symmetry", "body", "expected"),
    [
        ("real", "symmetric", "1 1 1\n2 1 5", [[1, 5], [5, 0]]),
        ("integer", "skew-symmetric", "2 1 5\n1 1 0", [[0, -5], [5, 0]]),
        ("pattern", "general", "1 2\n2 2", [[0, 1], [0, 1]]),
        ("pattern", "symmetric", "2 1\n2 2", [[0, 1], [1, 1]]),
        ("Real", "General", "1 1 2 % note\n1 1 3", [[5, 0], [0, 0]]),
    ],
)
def test_fields_and_symmetries(
    tmp_path: Path, field: str, symmetry: str, body: str, expected: list[list[float]]
) -> None:
    text = f"%%MatrixMarket matrix coordinate {field} {symmetry}\n2 2 2\n{body}\n"
    assert load_matrix(write(tmp_path, text)).toarray().tolist() == expected


HEAD = "%%MatrixMarket matrix coordinate real general\n"


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("", 1, "no Matrix Market file"),
        ("1 2 3\n", 1, "no Matrix Market file"),
        ("%%MatrixMarket matrix array real general\n2 2\n1\n", 1, "stored as 'array'"),
        ("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 1\n", 1, "'complex'"),
        ("%%MatrixMarket matrix coordinate real hermitian\n1 1 1\n1 1 1\n", 1, "'hermitian'"),
        ("%%MatrixMarket matrix coordinate real symetric\n1 1 1\n1 1 1\n", 1, "mean: symmetric"),
        (HEAD, 1, "ends before the size line"),
        (HEAD + "% x\n2 two 2\n", 3, "no size line"),
        (HEAD + "2 2 -1\n", 2, "no size line"),
        (HEAD + "2 2 0\n", 2, "is empty"),
        (HEAD + "2 2 3\n1 1 1\n2 2 2\n", None, "truncated: it has 2 entries"),
        (HEAD + "2 2 3\n", None, "truncated: it has 0 entries"),
        (HEAD + "2 2 1\n1 1 1\n2 2 2\n", None, "too long: it has 2 entries"),
        (HEAD + "2 2 2\n1 1 1\n2 2\n", 4, "'2 2' is no entry"),
        (HEAD + "2 2 2\n1 1 1\n%c\n2 x 2\n", 5, "'2 x 2' is no entry"),
        (HEAD + "2 2 2\n1 1 1\n2 2 nan\n", 4, "not finite"),
        (HEAD + "2 2 2\n1 1 inf\n2 2 1\n", 3, "not finite"),
        (HEAD + "2 2 2\n1 1 1\n\n2 3 1\n", 5, "whole numbers 1 to 2 and 1 to 2"),
        (HEAD + "2 2 2\n0 1 1\n2 2 1\n", 3, "out of range"),
        (HEAD + "2 2 2\n1.5 1 1\n2 2 1\n", 3, "out of range"),
        ("%%MatrixMarket matrix coordinate real symmetric\n2 3 1\n1 1 1\n", 2, "must be square"),
        ("%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 1 7\n", 3, "row and column"),
    ],
)
def test_bad_matrices_are_refused_with_their_line(
    tmp_path: Path, text: str, line: int | None, part: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UserError) as caught:
        load_matrix(path)
    assert part in str(caught.value)
    assert caught.value.file == path
    assert caught.value.line == line


@pytest.mark.parametrize("name", ["m.mtx.gz", "t.tns.gz"])
def test_truncated_archives_are_told_apart_from_bad_content(tmp_path: Path, name: str) -> None:
    whole = gzip.compress((GENERAL * 1).encode() + b"% padding\n" * 5000)
    for content, part in ((whole[: len(whole) // 2], "truncated"), (b"no gzip", "damaged")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=part):
            (load_matrix if "mtx" in name else lambda p: load_tensor(p, order=3))(
                str(tmp_path / name)
            )


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        load_matrix(str(tmp_path / "none.mtx"))
    (tmp_path / "b.mtx").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="no text"):
        load_matrix(str(tmp_path / "b.mtx"))
    (tmp_path / "d.mtx").mkdir()
    with pytest.raises(UserError, match="cannot be read"):
        load_matrix(str(tmp_path / "d.mtx"))


@pytest.mark.parametrize("name", ["t.tns", "t.tns.gz"])
def test_tensors_are_one_based_and_duplicates_add_up(tmp_path: Path, name: str) -> None:
    text = "# comment\n3 1 2 1.5\n1 1 1 2\n\n3 1 2 0.5 # again\n"
    tensor = load_tensor(write(tmp_path, text, name), order=3)
    assert tensor.dimensions == (3, 1, 2)
    assert tensor.coordinates.tolist() == [[0, 2], [0, 0], [0, 1]]
    assert tensor.values.tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("", None, "is empty"),
        ("# only\n", None, "is empty"),
        ("1 1 1 2\n1 1 2\n", 2, "as many on every line"),
        ("1 1 1 2\n\n1 x 1 2\n", 3, "is no entry"),
        ("1 1 1 2\n1 0 1 2\n", 2, "out of range"),
        ("1 1 1 nan\n", 1, "not finite"),
        ("5\n", 1, "is no entry"),
        ("1 1 1 1 2\n", None, "has 4 modes"),
    ],
)
def test_bad_tensors_are_refused_with_their_line(
    tmp_path: Path, text: str, line: int | None, part: str
) -> None:
    with pytest.raises(UserError) as caught:
        load_tensor(write(tmp_path, text, "t.tns"), order=3)
    assert part in str(caught.value)
    assert caught.value.line == line


def test_reading_equals_scipys_writing(tmp_path: Path) -> None:
    from scipy.io import mmwrite
    from scipy.sparse import random

    matrix = random(40, 30, 0.1, format="csr", random_state=np.random.default_rng(3))
    mmwrite(tmp_path / "s.mtx", matrix, precision=17)
    assert (load_matrix(str(tmp_path / "s.mtx")) != matrix).nnz == 0
