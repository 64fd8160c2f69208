"""Optuna's storages: read here as Optuna itself reads them, and nothing of them changed."""

from __future__ import annotations

import json
import math
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from importing import remarks, rows, run_import, spool

from daybreak import Categorical, Integer, Ordinal, Real, RequirementError, Space, UserError
from daybreak_importers.findings import Findings
from daybreak_importers.optuna_storage.distributions import Distribution, parse_distribution, span
from daybreak_importers.optuna_storage.journal import replay
from daybreak_importers.optuna_storage.server import without_password
from daybreak_importers.optuna_storage.sqlite import read_sqlite

optuna = pytest.importorskip("optuna")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def journal(path: Path) -> Any:
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))


def fill(storage: Any) -> None:
    """Run a study with every state and kind of parameter, and one with two objectives."""

    def objective(trial: Any) -> float:
        x = trial.suggest_float("x", 1e-3, 10, log=True)
        trial.suggest_int("n", 1, 9, step=2)
        trial.suggest_float("f", 0.0, 1.0, step=0.25)
        trial.suggest_categorical("c", ["a", None, 3, True])
        if trial.number > 3:
            trial.suggest_int("extra", 0, 5)
        trial.set_user_attr("note", {"k": [1], "by": "x@example.org"})
        for step in range(3):
            trial.report(x * (3 - step), step)
            if trial.number == 3 and step == 1:
                raise optuna.TrialPruned
        if trial.number == 2:
            raise ValueError("boom")
        return x

    study = optuna.create_study(
        storage=storage, study_name="first one", sampler=optuna.samplers.RandomSampler(seed=1)
    )
    study.set_user_attr("owner", "me")
    study.optimize(objective, n_trials=6, catch=(ValueError,))
    study.ask()  # stays unfinished
    both = optuna.create_study(
        storage=storage, study_name="both", directions=["minimize", "maximize"]
    )
    both.optimize(
        lambda t: (t.suggest_float("y", 0, 1), math.inf if t.number == 1 else 1.0), n_trials=3
    )
    optuna.create_study(storage=storage, study_name="empty", direction="maximize")


@pytest.fixture(scope="module", params=["sqlite", "journal"])
def storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("optuna") / f"study.{request.param}"
    fill(f"sqlite:///{path}" if request.param == "sqlite" else journal(path))
    return path


def load(path: Path, name: str) -> Any:
    storage = f"sqlite:///{path}" if path.suffix == ".sqlite" else journal(path)
    return optuna.load_study(study_name=name, storage=storage)


def test_what_is_imported_is_what_optuna_reads(storage: Path, tmp_path: Path) -> None:
    before = storage.read_bytes()
    done = run_import("optuna", storage, tmp_path)
    assert storage.read_bytes() == before
    assert [p.name for p in storage.parent.iterdir()] == [storage.name]
    assert (done.report.rows, done.report.kept) == (10, 9)
    assert done.report.left_out == {"unfinished trial": 1}
    states = {"COMPLETE": "ok", "PRUNED": "stopped", "FAIL": "failed"}
    theirs = load(storage, "first one")
    ours = rows(
        "SELECT number, t.status, t.objective, t.configuration, total_s, t.trial_id, facts "
        "FROM trials t JOIN studies s USING (study_id) "
        "WHERE s.details->>'study_name' = 'first one' ORDER BY number",
        tmp_path,
    )
    finished = [trial for trial in theirs.trials if trial.state.is_finished()]
    assert len(ours) == len(finished) == 6
    for row, trial in zip(ours, finished, strict=True):
        number, status, objective, configuration, total_s, trial_id, facts = row
        assert (number, status) == (trial.number, states[trial.state.name])
        expected = {k: "None" if v is None else v for k, v in trial.params.items()}
        assert json.loads(configuration) == expected
        if trial.state.name == "COMPLETE":
            assert objective == trial.value
        elif trial.state.name == "PRUNED":
            assert objective == trial.intermediate_values[1]
        else:
            assert objective is None
        assert total_s == pytest.approx(trial.duration.total_seconds())
        assert json.loads(facts)["user_attrs"]["note"] == {"k": [1], "by": "(address removed)"}
        seen = rows(
            f"SELECT step, value FROM events WHERE trial_id = {trial_id} ORDER BY seq", tmp_path
        )
        assert dict(seen) == trial.intermediate_values
    assert rows("SELECT failure_kind FROM trials WHERE status = 'failed'", tmp_path) == [("crash",)]


def test_several_objectives_keep_their_directions(storage: Path, tmp_path: Path) -> None:
    run_import("optuna", storage, tmp_path, "study=both", "unit=ms")
    assert rows("SELECT metric, unit, direction FROM metrics ORDER BY objective", tmp_path) == [
        ("value_0", "ms", "minimize"),
        ("value_1", "ms", "maximize"),
    ]
    ((values,),) = rows("SELECT objectives FROM trials WHERE number = 1", tmp_path)
    assert dict(values)["value_1"] == math.inf
    assert rows("SELECT count(*) FROM studies", tmp_path) == [(1,)]


def test_distributions_become_the_space(storage: Path, tmp_path: Path) -> None:
    run_import("optuna", storage, tmp_path)
    ((space, notes),) = rows(
        "SELECT space, notes FROM benchmarks WHERE summary LIKE '%first one'", tmp_path
    )
    found = {p.name: p for p in Space.from_dict(json.loads(space)).parameters}
    assert found["x"] == Real("x", 1e-3, 10.0, log=True)
    assert found["n"] == Ordinal("n", (1, 3, 5, 7, 9))
    assert found["f"] == Ordinal("f", (0.0, 0.25, 0.5, 0.75, 1.0))
    # only choices of trials are known by their distribution: all four are in it
    assert found["c"] == Categorical("c", ("a", "None", 3, True))
    assert found["extra"] == Integer("extra", 0, 5)
    assert "not in every trial: extra" in json.loads(notes)


def test_importing_again_adds_only_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "study.log"
    study = optuna.create_study(storage=journal(path), study_name="s")
    study.optimize(lambda t: t.suggest_float("x", 0, 1), n_trials=3)
    results = tmp_path / "results"
    run_import("optuna", path, results)
    before = spool(results)
    assert run_import("optuna", path, results).known
    assert spool(results) == before
    study.optimize(lambda t: t.suggest_float("x", 0, 1), n_trials=2)
    done = run_import("optuna", path, results)
    assert done.collected is not None
    assert (done.collected.added, done.collected.changed) == (0, 1)
    assert [v for (v,) in rows("SELECT objective FROM trials ORDER BY number", results)] == [
        trial.value for trial in study.trials
    ]


def test_a_url_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a b.db"
    study = optuna.create_study(storage=f"sqlite:///{path}", study_name="s")
    study.optimize(lambda t: t.suggest_float("x", 0, 1), n_trials=1)
    done = run_import("optuna", f"sqlite:///{path}", tmp_path / "results")
    assert (done.run_id, done.url) == ("optuna-a-b.db", f"sqlite:///{path}")
    monkeypatch.chdir(tmp_path)
    assert (
        run_import("optuna", "sqlite:///a b.db?timeout=1", tmp_path / "other").run_id == done.run_id
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.txt", b"hello\n", r"no storage of Optuna's[\s\S]*sqlite:///study.db"),
        ("x.db", b"SQLite format 3\x00" + b"\x00" * 200, "the database cannot be read"),
        ("empty", b"", "no storage of Optuna's"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=words):
        run_import("optuna", tmp_path / name, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_other_faults_are_told(storage: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no study 'first won'[\s\S]*did you mean: first one"):
        run_import("optuna", storage, tmp_path, "study=first won")
    with sqlite3.connect(tmp_path / "mine.db") as connection:
        connection.execute("CREATE TABLE cakes (a)")
    with pytest.raises(UserError, match=r"no storage of Optuna's[\s\S]*there are cakes"):
        run_import("optuna", tmp_path / "mine.db", tmp_path)
    with pytest.raises(UserError, match="no such file"):
        run_import("optuna", "sqlite:///nowhere.db", tmp_path)
    with pytest.raises(UserError, match="this is a folder"):
        run_import("optuna", tmp_path, tmp_path)
    with pytest.raises((UserError, RequirementError)) as told:
        run_import("optuna", "postgresql://me:secret@localhost:1/x", tmp_path)
    assert "secret" not in str(told.value)


def test_passwords_are_not_shown() -> None:
    assert without_password("mysql://me:pw@host/db?x=1") == "mysql://host/db"
    assert without_password("sqlite:///a.db") == "sqlite:///a.db"


def test_an_older_schema_is_read(tmp_path: Path) -> None:
    """The tables of Optuna 1.5: one direction a study, the value beside the trial."""
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """
            CREATE TABLE studies (study_id INTEGER, study_name VARCHAR, direction VARCHAR);
            CREATE TABLE trials (trial_id INTEGER, number INTEGER, study_id INTEGER, state VARCHAR,
                                 value FLOAT, datetime_start DATETIME, datetime_complete DATETIME);
            CREATE TABLE trial_params (param_id INTEGER, trial_id INTEGER, param_name VARCHAR,
                                       param_value FLOAT, distribution_json VARCHAR);
            INSERT INTO studies VALUES (1, 'old', 'MAXIMIZE');
            INSERT INTO trials VALUES (1, 0, 1, 'COMPLETE', 0.5, '2020-01-01 00:00:00',
                                       '2020-01-01 00:00:02.500000'),
                                      (2, 1, 1, 'COMPLETE', NULL, NULL, NULL);
            INSERT INTO trial_params VALUES (1, 1, 'u', 2.0,
                '{"name": "UniformDistribution", "attributes": {"low": 0, "high": 4}}');
            """
        )
    (study,) = read_sqlite(path, None, Findings())
    assert (study.name, study.minimize) == ("old", (False,))
    assert [trial.values for trial in study.trials] == [[0.5], None]
    run_import("optuna", path, tmp_path)
    assert rows(
        "SELECT number, status, objective, total_s, message FROM trials ORDER BY number", tmp_path
    ) == [
        (0, "ok", 0.5, 2.5, None),
        (1, "failed", None, 0.0, "complete, but without its values"),
    ]


def test_torn_lines_of_a_journal_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "s.log"
    study = optuna.create_study(storage=journal(path), study_name="s")
    study.optimize(lambda t: t.suggest_float("x", 0, 1), n_trials=3)
    lines = path.read_bytes().split(b"\n")
    lines[3] = lines[3][:10]
    lines.insert(2, b'{"op_code": 99}')
    path.write_bytes(b"\n".join(lines)[:-30])
    done = run_import("optuna", path, tmp_path / "results")
    kinds = [(line, what.partition(":")[0]) for _, line, what in remarks(done)]
    assert (3, "operation that makes no sense") in kinds
    assert (5, "damaged line") in kinds
    assert any(what.startswith("cut in the middle: damaged line") for _, _, what in remarks(done))


class TestDistributions:
    @pytest.mark.parametrize(
        "made",
        [
            optuna.distributions.FloatDistribution(0.5, 2.0),
            optuna.distributions.FloatDistribution(1e-5, 1.0, log=True),
            optuna.distributions.FloatDistribution(0.0, 1.0, step=0.1),
            optuna.distributions.IntDistribution(1, 100),
            optuna.distributions.IntDistribution(1, 64, log=True),
            optuna.distributions.IntDistribution(0, 10, step=5),
            optuna.distributions.CategoricalDistribution(("a", 1, 2.5, True)),
        ],
    )
    def test_mean_what_optuna_means(self, made: Any) -> None:
        parsed = parse_distribution(optuna.distributions.distribution_to_json(made))
        if parsed.choices is not None:
            for internal, choice in enumerate(made.choices):
                assert parsed.value(internal) == choice
            return
        assert (parsed.low, parsed.high, parsed.log) == (made.low, made.high, made.log)
        assert parsed.value(made.low) == made.to_external_repr(made.low)
        assert type(parsed.value(made.low)) is type(made.to_external_repr(made.low))

    def test_of_earlier_versions_and_abbreviated(self) -> None:
        old = (
            '{"name": "IntLogUniformDistribution", "attributes": {"low": 1, "high": 8, "step": 1}}'
        )
        assert parse_distribution(old) == Distribution(1, 8, 1, True, True)
        short = '{"type": "float", "low": 0, "high": 1, "log": true}'
        assert parse_distribution(short) == Distribution(0, 1, None, True, False)

    def test_ranges_that_changed_are_joined(self) -> None:
        space, notes = span({"x": [Distribution(0, 1), Distribution(0.5, 2)]})
        assert space is not None
        assert space.parameters == (Real("x", 0.0, 2.0),)
        assert notes == ["the range of 'x' changed between trials: the union is taken"]
        space, notes = span({"x": [Distribution(0, 1), Distribution(choices=("a",))]})
        assert space is None
        assert "choices in some trials, a range in others" in notes[0]

    @given(st.text(max_size=60))
    def test_any_text_is_parsed_or_refused(self, text: str) -> None:
        for given_text in (text, f'{{"name": "IntDistribution", "attributes": {text}}}'):
            try:
                parse_distribution(given_text)
            except ValueError:
                continue


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.fixed_dictionaries(
                {"op_code": st.integers(-1, 11)},
                optional={
                    "study_id": st.integers(-1, 1) | st.none(),
                    "trial_id": st.integers(-1, 2) | st.text(max_size=2),
                    "study_name": st.text(max_size=3),
                    "directions": st.lists(st.integers(0, 3), max_size=2) | st.none(),
                    "datetime_start": st.none() | st.text(max_size=3),
                    "state": st.integers(-2, 6) | st.none(),
                    "values": st.none() | st.lists(st.floats() | st.none(), max_size=2),
                    "param_name": st.text(max_size=2),
                    "param_value_internal": st.floats() | st.none(),
                    "distribution": st.text(max_size=5),
                    "step": st.integers() | st.text(max_size=2),
                    "intermediate_value": st.floats() | st.none() | st.text(max_size=1),
                    "user_attr": st.dictionaries(st.text(max_size=2), st.integers())
                    | st.integers(),
                },
            ).map(lambda operation: json.dumps(operation).encode() + b"\n"),
        ),
        max_size=12,
    )
)
def test_any_journal_is_replayed_or_reported(lines: list[bytes]) -> None:
    findings = Findings()
    studies = replay(iter(lines), "f", findings)
    assert all(trial.number >= 0 for study in studies for trial in study.trials)
