"""A suite's data must be there before anything runs: told by `define`, which opens no file."""

from __future__ import annotations

from pathlib import Path

import pytest
from taco_support import define

from daybreak import RequirementError, UserError
from daybreak_taco import options as models
from daybreak_taco.data.presence import check_present
from daybreak_taco.data.source import PYAMG

MATRIX = "%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 3\n2 2 4\n"


def test_a_file_is_looked_for_but_not_read(tmp_path: Path) -> None:
    nonsense = tmp_path / "a.mtx"
    nonsense.write_text("no matrix at all")
    nonsense.chmod(0)
    assert define("spmv", matrix=str(nonsense)).instance == "a"


def test_a_missing_file_names_the_option_and_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "scircuit.mtx").write_text(MATRIX)
    (tmp_path / "scircuits.tns").write_text("1 1 1 2\n")
    with pytest.raises(UserError) as caught:
        define("spmm", matrix=str(tmp_path / "scircuits.mtx"))
    assert caught.value.field == "matrix"
    assert caught.value.nearest == str(tmp_path / "scircuit.mtx")
    with pytest.raises(UserError) as caught:
        define("ttv", tensor=str(tmp_path / "other.tns.gz"))
    assert caught.value.field == "tensor"
    (tmp_path / "folder.mtx").mkdir()
    with pytest.raises(UserError, match="is no file"):
        define("spmm", matrix=str(tmp_path / "folder.mtx"))
    with pytest.raises(UserError, match="there is no folder"):
        define("spmm", matrix=str(tmp_path / "none" / "a.mtx"))


def test_relative_paths_begin_where_the_user_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        define("spmv", matrix="a.mtx")
    assert caught.value.expected == f"a path that begins at {tmp_path}"
    (tmp_path / "a.mtx").write_text(MATRIX)
    assert define("spmv", matrix="a.mtx").options["matrix"] == "a.mtx"


def test_the_users_home_is_written_out_since_the_worker_has_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    given = models.SpmvOptions(matrix="~/a.mtx", taco="~/bin/taco")
    assert given.matrix == str(tmp_path / "a.mtx")
    assert given.taco == str(tmp_path / "bin" / "taco")
    assert models.TtvOptions(tensor="~/a.tns").tensor == str(tmp_path / "a.tns")


def test_what_is_not_fetched_names_the_option_and_the_command(cache: Path) -> None:
    for name, field, source in (
        ("spmv", "matrix", "suitesparse:cage12"),
        ("spmv", "matrix", "suitesparse:SNAP/other"),
        ("ttv", "tensor", "frostt:uber"),
    ):
        with pytest.raises(RequirementError) as caught:
            define(name, **{field: source})
        assert caught.value.field == field
        assert f"python -m daybreak_taco.data fetch {source}" in (caught.value.remedy or "")
    place = cache / "data" / "suitesparse" / "cage12.mtx"
    place.parent.mkdir(parents=True)
    place.write_text(MATRIX)
    assert define("spmv", matrix="suitesparse:cage12").instance == "cage12"


def test_misspelt_collections_name_the_nearest_instead_of_a_command_that_fails(cache: Path) -> None:
    with pytest.raises(UserError) as caught:
        define("spmv", matrix="suitesparse:cage13")
    assert (caught.value.field, caught.value.nearest) == ("matrix", "suitesparse:cage12")
    with pytest.raises(UserError) as caught:
        define("mttkrp", tensor="frostt:uberr")
    assert (caught.value.field, caught.value.nearest) == ("tensor", "frostt:uber")


def test_what_needs_no_file_is_always_there(cache: Path) -> None:
    for name in PYAMG:
        check_present(f"pyamg:{name}", tensor=False)
    check_present("generate:fem", tensor=False)
    check_present("generate:uniform(dims=9x9x9, nnz=9)", tensor=True)


def test_a_suite_points_at_the_line(tmp_path: Path) -> None:
    from daybreak import SuiteError
    from daybreak.plugin import load_plugins
    from daybreak.suite import load_suite, plan_suite

    (tmp_path / "right.mtx").write_text(MATRIX)
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        "suite: 1\nname: two\nbenchmarks:\n"
        f"  - taco/spmv: {{matrix: '{tmp_path}/right.mtx'}}\n"
        f"  - taco/spmv: {{matrix: '{tmp_path}/rihgt.mtx'}}\n"
        "optimizers: [random]\nbudget: {evaluations: 1}\n"
    )
    with pytest.raises(SuiteError) as caught:
        plan_suite(load_suite(suite), load_plugins())
    assert (caught.value.line, caught.value.nearest) == (5, str(tmp_path / "right.mtx"))
