"""The views about known landscapes, by hand and by enumeration."""

from __future__ import annotations

import itertools

import pytest
from scored_results import landscape_row, scored_study
from small_results import FAILED, Results, trial

from daybreak.analysis import query_arrow

# four configurations work, one fails; expected best of random search by listing all draws:
# 1 draw: (1 + 2 + 4 + 9) / 4 if it works, 9 counted for the failure: 0.8 * 4 + 0.2 * 9 = 5
# 2 draws of ten pairs: 4 have the 1, 3 then the 2, 2 the 4, 1 the 9: 2.7
# 3 draws of ten triples: 6 have the 1, 3 then the 2, 1 the 4: 1.6
VALUES, BASELINES = [1.0, 2.0, 4.0, 9.0], [5.0, 2.7, 1.6]


def ask(results, sql):
    return [tuple(row.values()) for row in query_arrow(sql, results).to_pylist()]


def known(folder, *, direction="minimize", sign=1.0):
    run = Results(folder).benchmark(direction=direction)
    row = landscape_row("toy/b", VALUES, 1)
    for name in ("optimum", "median", "worst"):
        row[name] *= sign
    row["expected"] = [sign * x for x in row["expected"]]
    run.writer.landscape(row)
    return run


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1.0), ("maximize", -1.0)])
def test_score_by_hand(tmp_path, direction, sign):
    run = known(tmp_path, direction=direction, sign=sign)
    values = [4.0 * sign, FAILED, 1.0 * sign]
    scored_study(run, values, optimizer="a", benchmark="toy/b", seed=0)
    scored_study(run, [FAILED], optimizer="b", benchmark="toy/b", seed=0)
    run.done()
    assert ask(
        tmp_path,
        "SELECT optimizer, evaluation, best, baseline, optimum, score FROM score ORDER BY 1, 2",
    ) == [
        ("a", 1, 4 * sign, pytest.approx(5 * sign), sign, pytest.approx((5 - 4) / (5 - 1))),
        ("a", 2, 4 * sign, pytest.approx(2.7 * sign), sign, pytest.approx((2.7 - 4) / 1.7)),
        ("a", 3, sign, pytest.approx(1.6 * sign), sign, pytest.approx(1.0)),
        # nothing worked: as the worst that does
        ("b", 1, None, pytest.approx(5 * sign), sign, pytest.approx((5 - 9) / 4)),
    ]


def test_random_search_scores_0_on_average_and_1_when_nothing_is_left(tmp_path):
    run = known(tmp_path)
    for seed, order in enumerate(itertools.permutations([*VALUES, FAILED])):
        scored_study(run, order, optimizer="random", benchmark="toy/b", seed=seed)
    run.done()
    found = ask(
        tmp_path, "SELECT evaluation, avg(score), min(score) FROM score GROUP BY 1 ORDER BY 1"
    )
    assert [one[0] for one in found] == [1, 2, 3, 4, 5]
    for _, mean, _ in found[:4]:
        assert mean == pytest.approx(0.0, abs=1e-9)
    # all five are drawn: the baseline is the optimum
    assert found[4][1:] == (1.0, 1.0)


def test_a_study_that_gave_up_keeps_its_best_until_its_budget(tmp_path):
    run = known(tmp_path)
    for name, status in (("gone", "exhausted"), ("broke", "failed"), ("short", "finished")):
        scored_study(run, [2.0], optimizer=name, benchmark="toy/b", seed=0, budget=3, status=status)
    run.done()
    found = ask(tmp_path, "SELECT optimizer, evaluation, score FROM score ORDER BY 1, 2")
    expected = [pytest.approx((base - 2.0) / (base - 1.0)) for base in BASELINES]
    assert [one for one in found if one[0] == "gone"] == [
        ("gone", i + 1, value) for i, value in enumerate(expected)
    ]
    assert [one[1] for one in found if one[0] == "broke"] == [1, 2, 3]
    assert [one[1] for one in found if one[0] == "short"] == [1]


def test_benchmarks_without_a_landscape_have_no_score(tmp_path):
    run = Results(tmp_path).benchmark()
    run.study([3.0])
    assert (
        ask(run.done(), "SELECT * FROM score UNION ALL BY NAME SELECT * FROM score_by_time") == []
    )


def test_a_landscape_on_which_everything_fails_has_no_score(tmp_path):
    run = Results(tmp_path).benchmark()
    row = dict.fromkeys(("optimum", "median", "worst")) | {"benchmark": "toy/b", "failures": 3}
    run.writer.landscape(row | {"configurations": 3, "seconds_mean": None, "expected": []})
    scored_study(run, [FAILED, FAILED], optimizer="a", benchmark="toy/b", seed=0)
    run.done()
    assert ask(tmp_path, "SELECT * FROM score") == []
    assert ask(tmp_path, "SELECT * FROM ecdf") == []


def test_score_by_time_by_hand(tmp_path):
    run = known(tmp_path)  # an evaluation of random search takes 2 s
    clocked = [trial(0, 4.0, elapsed_s=3.0), trial(1, 1.0, elapsed_s=4.0)]
    scored_study(run, clocked, optimizer="a", benchmark="toy/b", seed=0, budget=2)
    scored_study(
        run, [trial(0, 2.0, elapsed_s=7.0)], optimizer="slow", benchmark="toy/b", seed=0, budget=1
    )
    run.done()
    assert ask(
        tmp_path,
        "SELECT optimizer, random_evaluations, elapsed_s, best, score FROM score_by_time "
        "ORDER BY 1, 2",
    ) == [
        # after 2 s nothing is done yet: as the worst
        ("a", 1, 2.0, None, pytest.approx((5 - 9) / 4)),
        ("a", 2, 4.0, 1.0, 1.0),
        ("slow", 1, 2.0, None, pytest.approx((5 - 9) / 4)),
        ("slow", 2, 4.0, None, pytest.approx((2.7 - 9) / 1.7)),
        ("slow", 3, 6.0, None, pytest.approx((1.6 - 9) / 0.6)),
    ]


def test_ecdf_by_hand(tmp_path):
    run = known(tmp_path)  # median 3, optimum 1: half the gap is 2, all of it 1
    run.reference("expert", [2.2])
    study = scored_study(
        run,
        [trial(0, 9.0, elapsed_s=1.0), trial(1, 2.0, elapsed_s=5.0), trial(2, 4.0, elapsed_s=6.0)],
        optimizer="a", benchmark="toy/b", seed=7,
    )  # fmt: skip
    found = ask(
        run.done(),
        "SELECT study_id, seed, target_name, gap, threshold, reached, evaluation, seconds, "
        "evaluations, study_s FROM ecdf WHERE target_name IN ('gap-0.5', 'gap-1.0', 'expert') "
        "ORDER BY threshold DESC",
    )
    assert found == [
        (study, 7, "expert", pytest.approx(0.4), 2.2, True, 2, 5.0, 3, 6.0),
        (study, 7, "gap-0.5", 0.5, 2.0, True, 2, 5.0, 3, 6.0),
        (study, 7, "gap-1.0", 1.0, 1.0, False, None, None, 3, 6.0),
    ]
    names = ask(tmp_path, "SELECT DISTINCT target_name FROM ecdf")
    assert len(names) == 10


def test_ecdf_of_a_maximized_objective(tmp_path):
    run = known(tmp_path, direction="maximize", sign=-1.0)
    scored_study(run, [-9.0, -2.0], optimizer="a", benchmark="toy/b", seed=0)
    assert ask(
        run.done(), "SELECT threshold, reached, evaluation FROM ecdf WHERE target_name = 'gap-0.5'"
    ) == [(-2.0, True, 2)]


def test_duplicates_by_hand(tmp_path):
    run = Results(tmp_path).benchmark()
    same = {"configuration": {"x": 1}}
    run.study(
        [
            _with(trial(0, 1.0, proposal={"duplicates": 2, "infeasible": 1}), same),
            _with(trial(1, 2.0, proposal={"duplicates": 3}), same),
            trial(2, 3.0),
        ]
    )
    run.study([1.0, 2.0], optimizer="silent")
    assert ask(
        run.done(),
        "SELECT optimizer, evaluations, configurations, repeated, library_duplicates, infeasible "
        "FROM duplicates ORDER BY 1",
    ) == [("random", 3, 2, 1, 5, 1), ("silent", 2, 2, 0, None, None)]


def _with(one, changes):
    import dataclasses

    return dataclasses.replace(one, **changes)


def test_suggestion_time_by_hand(tmp_path):
    run = Results(tmp_path).benchmark()
    run.study([trial(i, 1.0, ask_s=0.01 * (i + 1), tell_s=0.5) for i in range(12)])
    found = ask(
        run.done(),
        "SELECT first_evaluation, last_evaluation, evaluations, median_s, p90_s, mean_s, total_s "
        "FROM suggestion_time ORDER BY 1",
    )
    assert [one[:3] for one in found] == [(1, 10, 10), (11, 20, 2)]
    assert found[0][3:] == tuple(pytest.approx(x) for x in (0.555, 0.591, 0.555, 5.55))
    assert found[1][3] == pytest.approx(0.615)


def test_beliefs_are_read_from_proposals(tmp_path):
    run = Results(tmp_path).benchmark()
    said = {
        "source": "model", "mean": 2.5, "deviation": 0.1, "feasibility": 0.75, "acquisition": -1.0,
        "lengthscales": {"x": 0.5}, "importance": {"x": 1.0}, "note": "restart",
    }  # fmt: skip
    run.study([trial(0, 1.0), trial(1, 2.0, proposal=said), trial(2, FAILED, proposal={})])
    assert ask(
        run.done(),
        "SELECT evaluation, source, mean, deviation, feasibility, acquisition, objective, status, "
        "lengthscales->>'$.x', importance->>'$.x', note FROM beliefs ORDER BY 1",
    ) == [
        (2, "model", 2.5, 0.1, 0.75, -1.0, 2.0, "ok", "0.5", "1.0", "restart"),
        (3, None, None, None, None, None, None, "failed", None, None, None),
    ]


def test_text_where_a_number_should_be_is_no_number(tmp_path):
    run = Results(tmp_path).benchmark()
    run.study([trial(0, 1.0, proposal={"mean": "much", "duplicates": [1]})])
    assert ask(run.done(), "SELECT mean FROM beliefs") == [(None,)]
    assert ask(tmp_path, "SELECT library_duplicates FROM duplicates") == [(None,)]
