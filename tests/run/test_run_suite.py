"""Running suites on a fake target: what is recorded, resumed, isolated."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Runner
from run_fakes import SPACE, bowl

from daybreak import Isolation, UserError, query


def test_a_suite_runs_and_answers_in_sql(run: Runner, tmp_path: Path) -> None:
    summary, recorder = run("random, descent", seeds=2)
    assert summary.status == "finished"
    assert summary.exit_code == 0
    assert (summary.studies, summary.trials) == (4, 32)
    board = query(
        "SELECT optimizer, studies, best_median, versus_expert, failures FROM leaderboard",
        tmp_path / "results",
    ).set_index("optimizer")
    assert set(board.index) == {"random", "descent"}
    for optimizer in board.index:
        best = sorted(
            min(
                t["objective"]
                for t in recorder.trials(optimizer)
                if t["seed"] == seed and t["objective"] is not None
            )
            for seed in {t["seed"] for t in recorder.trials(optimizer)}
        )
        assert board.loc[optimizer, "studies"] == 2
        assert board.loc[optimizer, "best_median"] == pytest.approx(sum(best) / 2)
        expert = bowl({"a": 4, "b": 4})
        assert board.loc[optimizer, "versus_expert"] == pytest.approx(expert / (sum(best) / 2))
        failed = [t for t in recorder.trials(optimizer) if t["failure_kind"]]
        assert board.loc[optimizer, "failures"] == len(failed)


def test_optimizers_take_turns(run: Runner) -> None:
    _, recorder = run("random, descent", evaluations=20)
    order = [t["optimizer"] for t in recorder.trials()]
    rounds = [tuple(order[i : i + 2]) for i in range(0, len(order), 2)]
    # everybody once in each round, in drawn order
    assert set(rounds) == {("random", "descent"), ("descent", "random")}


def test_references_come_first_and_again_in_between(run: Runner) -> None:
    _, recorder = run("random", evaluations=20, interleave=4)
    order = [t["reference"] or "-" for t in recorder.of("trial_finished")]
    assert order[:2] == ["expert", "default"]
    assert 2 <= sum(name != "-" for name in order[2:]) <= 12


def test_a_failed_trial_is_data(run: Runner, tmp_path: Path) -> None:
    summary, _ = run("random", evaluations=25)
    failures = query(
        "SELECT failure_kind, message, detail, configuration FROM trials WHERE status = 'failed'",
        tmp_path / "results",
    )
    assert summary.failures == len(failures) > 0
    assert set(failures["failure_kind"]) == {"build"}
    assert set(failures["message"]) == {"b is too large"}
    assert set(failures["detail"]) == {"error: b = 32"}


def test_every_proposal_is_in_the_space_and_new(run: Runner, tmp_path: Path) -> None:
    count = SPACE.count()
    assert count is not None
    summary, _ = run("random", evaluations=1000)
    trials = query(
        "SELECT configuration FROM trials JOIN studies USING (study_id) WHERE role = 'optimizer'",
        tmp_path / "results",
    )
    assert summary.trials == count == trials["configuration"].nunique()


@pytest.mark.parametrize(
    ("optimizer", "words"),
    [
        ("raises-in-ask", "failed to ask: ZeroDivisionError: the model has no rank"),
        ("raises-in-tell", "failed to tell: ValueError: cannot take this"),
        ("leaves-the-space", "a * b <= 256"),
    ],
)
def test_a_broken_optimizer_fails_alone(
    run: Runner, tmp_path: Path, optimizer: str, words: str
) -> None:
    summary, recorder = run(f"{optimizer}, random")
    assert summary.status == "failed"
    assert summary.exit_code == 1
    (ended,) = [s for s in recorder.of("study_finished") if s["optimizer"] == optimizer]
    assert words in ended["message"]
    assert "plugin 'local'" in ended["message"]
    assert len(recorder.trials("random")) == 8
    # what it measured before it broke is kept
    kept = query(
        f"SELECT count(*) AS n FROM trials JOIN studies USING (study_id) "
        f"WHERE optimizer = '{optimizer}'",
        tmp_path / "results",
    )
    assert kept["n"][0] == (3 if optimizer != "leaves-the-space" else 2)


def test_a_session_that_cannot_be_opened_fails_its_studies_only(run: Runner) -> None:
    summary, recorder = run(
        "random", benchmarks="  - fake/bowl\n  - fake/bowl: {instance: other, broken: true}"
    )
    assert summary.status == "failed"
    ended = {s["benchmark"]: s["status"] for s in recorder.of("study_finished")}
    assert ended == {"fake/bowl": "finished", "fake/bowl:other": "failed"}


@pytest.mark.parametrize("isolation", [Isolation.INLINE, Isolation.FORK])
def test_data_that_cannot_be_read_is_the_users_to_mend(
    run: Runner, monkeypatch: pytest.MonkeyPatch, isolation: Isolation
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    summary, recorder = run(
        "random",
        benchmarks="  - fake/bowl\n  - fake/bowl: {instance: other, unreadable: true}",
        isolation=isolation,
    )
    assert summary.status == "failed"
    assert summary.exit_code == 2
    ended = {s["benchmark"]: s for s in recorder.of("study_finished")}
    assert ended["fake/bowl"]["status"] == "finished"
    assert "data.mtx:2: the matrix is empty" in ended["fake/bowl:other"]["message"]


def test_a_database_of_a_newer_version_is_refused_before_anything_is_measured(
    run: Runner, tmp_path: Path
) -> None:
    import duckdb

    run("random")
    with duckdb.connect(str(tmp_path / "results" / "daybreak.duckdb")) as connection:
        connection.execute("UPDATE schema_migrations SET version = version + 1")
    before = sorted((tmp_path / "results" / "spool").rglob("*"))
    with pytest.raises(UserError, match="newer"):
        run("random", evaluations=20)
    assert sorted((tmp_path / "results" / "spool").rglob("*")) == before


def test_an_exhausted_optimizer_ends_its_study(run: Runner) -> None:
    summary, recorder = run("empty, random")
    assert summary.status == "finished"
    assert len(recorder.trials("empty")) == 4
    assert len(recorder.trials("random")) == 8


def test_dollars_bound_a_study(run: Runner) -> None:
    _, recorder = run("spender", extra="", evaluations=8)
    assert len(recorder.trials()) == 8


def test_what_an_optimizer_believed_is_stored(run: Runner, tmp_path: Path) -> None:
    run("talker", evaluations=3)
    rows = query(
        "SELECT CAST(proposal->>'$.mean' AS INT) AS mean FROM trials "
        "JOIN studies USING (study_id) WHERE role = 'optimizer' ORDER BY number",
        tmp_path / "results",
    )
    assert list(rows["mean"]) == [0, 1, 2]


def test_only_selects(run: Runner) -> None:
    summary, recorder = run("random, descent", only="descent")
    assert summary.studies == 1
    assert {t["optimizer"] for t in recorder.trials()} == {"descent"}


def test_jobs_give_the_same_trials(run: Runner, tmp_path: Path) -> None:
    benchmarks = "\n".join(f"  - fake/bowl: {{instance: i{i}}}" for i in range(3))
    answers = []
    for jobs in (1, 3):
        results = tmp_path / f"jobs{jobs}"
        run("random, descent", benchmarks=benchmarks, seeds=2, jobs=jobs, results=results)
        answers.append(
            query(
                "SELECT benchmark, optimizer, seed, number, configuration, trials.objective "
                "FROM trials JOIN studies USING (study_id) ORDER BY ALL",
                results,
            )
        )
    assert answers[0].equals(answers[1])


def test_an_unknown_suite_is_one_message() -> None:
    from daybreak import run_suite

    with pytest.raises(UserError, match="quickstrat"):
        run_suite("quickstrat")


def test_a_benchmark_says_where_its_session_lives(run: Runner, tmp_path: Path) -> None:
    run(
        "random",
        evaluations=2,
        benchmarks="  - fake/bowl: {instance: model, place: inline}\n"
        "  - fake/bowl: {instance: tool, place: worker}",
        isolation=Isolation.FORK,
    )
    found = query("SELECT instance, sandbox FROM benchmarks ORDER BY ALL", tmp_path / "results")
    places = dict(zip(found["instance"], found["sandbox"], strict=True))
    assert places["model"] == "inline"
    assert places["tool"] in {"bubblewrap", "namespaces", "limits"}
