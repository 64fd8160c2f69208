"""Statistics over studies: by hand, by brute force and against SciPy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from daybreak.analysis.comparison import compare_differences, compare_pairs
from daybreak.analysis.curves import Curves
from daybreak.analysis.hits import Hits, distributions, profiles, running_times
from daybreak.analysis.ranking import critical_difference, mean_ranks, ranks, ranks_of
from daybreak.analysis.resampling import percentile_interval, resampled
from daybreak.analysis.scores import budgets, mean_scores, score_curves
from daybreak.analysis.speedup import ALL_MEDIANS, ALL_SCORES, speedup_at
from daybreak.errors import UserError

NAN, INF = math.nan, math.inf


def curves(loss, score=None, names=None, known=True):
    """Curves of arrays of shape (optimizers, benchmarks, seeds, evaluations)."""
    loss = np.asarray(loss, dtype=float)
    score = loss if score is None else np.asarray(score, dtype=float)
    benchmarks = tuple(f"toy/{i}" for i in range(loss.shape[1]))
    return Curves(
        run_id="r1",
        suite="toys",
        optimizers=tuple(names or "abcdefgh"[: loss.shape[0]]),
        benchmarks=benchmarks,
        seeds=tuple(range(loss.shape[2])),
        loss=loss,
        score=score,
        score_by_time=score,
        elapsed_s=np.zeros_like(loss),
        directions=dict.fromkeys(benchmarks, "minimize"),
        units=dict.fromkeys(benchmarks, "s"),
        baseline=np.full((loss.shape[1], loss.shape[3]), 10.0),
        landscapes=dict.fromkeys(benchmarks, (0.0, 20.0)) if known else {},
    )


def hits(reached, spent, targets=("gap-0.5", "gap-1.0")):
    """Hits of arrays of shape (optimizers, benchmarks, seeds, targets) and without the last."""
    reached, spent = np.asarray(reached, dtype=float), np.asarray(spent, dtype=float)
    benchmarks = tuple(f"toy/{i}" for i in range(reached.shape[1]))
    return Hits(
        run_id="r1",
        optimizers=tuple("abcdefgh"[: reached.shape[0]]),
        benchmarks=benchmarks,
        seeds=tuple(range(reached.shape[2])),
        targets=targets,
        reached={"evaluations": reached, "seconds": reached * 2},
        spent={"evaluations": spent, "seconds": spent * 2},
        seconds_mean=dict.fromkeys(benchmarks, 10.0),
    )


# resampling


def test_a_bootstrap_interval_is_scipys():
    values = np.random.default_rng(1).lognormal(0, 1, 25)
    draws = resampled(values[None, None], draws=4000)[:, 0, 0]
    found = percentile_interval(draws)
    oracle = stats.bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=2)
    spread = oracle.standard_error
    assert found.low == pytest.approx(oracle.confidence_interval.low, abs=0.15 * spread)
    assert found.high == pytest.approx(oracle.confidence_interval.high, abs=0.15 * spread)


def test_a_bootstrap_draws_the_same_seeds_for_all_optimizers():
    values = np.random.default_rng(1).normal(size=(1, 3, 9))
    draws = resampled(np.concatenate([values, values + 1.5]), draws=50)
    np.testing.assert_allclose(draws[:, 1] - draws[:, 0], 1.5)


def test_drawing_benchmarks_gives_a_wider_interval_where_benchmarks_differ():
    values = np.random.default_rng(1).normal(size=(1, 8, 30)) + 5 * np.arange(8)[None, :, None]
    within = resampled(values).mean(axis=2)[:, 0].std()
    across = resampled(values, benchmarks=True).mean(axis=2)[:, 0].std()
    # the standard error of the mean of the benchmarks' means
    expected = values.mean(axis=2).std() / math.sqrt(8)
    assert across == pytest.approx(expected, rel=0.15)
    assert within < across / 5


def test_studies_that_are_missing_are_not_drawn():
    values = np.full((2, 1, 6), NAN)
    values[0, 0, :3] = [1.0, 2.0, 3.0]
    draws = resampled(values, draws=200)
    assert np.isnan(draws[:, 1]).all()
    assert set(np.unique(draws[:, 0] * 3).round(6)) <= {float(n) for n in range(3, 10)}


def test_an_interval_with_unbounded_draws_is_open():
    draws = np.concatenate([np.arange(90.0), np.full(10, INF)])
    found = percentile_interval(draws)
    assert (found.low, found.high) == (2.0, None)
    assert percentile_interval(np.asarray([1.0, NAN])).low is None


# scores


def test_mean_scores_weigh_benchmarks_alike():
    score = np.full((1, 2, 4, 1), NAN)
    score[0, 0, :, 0] = [1.0, 1.0, 1.0, 1.0]
    score[0, 1, :1, 0] = [0.0]
    loss = np.where(np.isnan(score), NAN, 1.0)
    (found,) = mean_scores(curves(loss, score), [1])
    assert (found.mean, found.studies, found.benchmarks) == (0.5, 5, 2)
    assert found.seeds.low is None  # one seed tells nothing


def test_the_best_is_first_and_those_with_fewer_benchmarks_last():
    score = np.zeros((3, 2, 6, 2))
    score[1], score[2] = 0.5, 0.9
    score[2, 1] = NAN
    loss = np.where(np.isnan(score), NAN, 1.0)
    found = mean_scores(curves(loss, score), [1, 2])
    assert [(one.optimizer, one.at) for one in found] == [
        ("b", 1), ("b", 2), ("a", 1), ("a", 2), ("c", 1), ("c", 2),
    ]  # fmt: skip
    assert found[-1].benchmarks == 1


def test_a_budget_that_nobody_had_has_no_mean_but_is_told():
    score = np.full((1, 1, 6, 3), 0.3)
    score[0, 0, :2, 2] = NAN
    at_3, at_9 = mean_scores(curves(np.ones_like(score), score), [3, 9])
    assert (at_3.studies, at_3.missing) == (4, 2)
    assert (at_9.mean, at_9.missing) == (None, 6)


def test_score_curves_are_means_with_intervals_around():
    score = np.random.default_rng(3).normal(size=(2, 3, 12, 5))
    found = score_curves(curves(np.ones_like(score), score))
    np.testing.assert_allclose(found[1].mean, score[1].mean(axis=(0, 1)))
    assert (found[1].low < found[1].mean).all()
    assert (found[1].mean < found[1].high).all()


def test_without_a_landscape_scores_are_refused():
    with pytest.raises(UserError, match="no benchmark of run 'r1' has a known landscape"):
        mean_scores(curves(np.ones((1, 1, 1, 1)), known=False), [1])


def test_usual_budgets():
    assert budgets(100) == [20, 60, 100]
    assert budgets(20) == [20]
    assert budgets(500, (7, 3, 7)) == [3, 7]


# ranks


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([0.0, 1.0, 2.5, 7.0, INF]), min_size=1, max_size=8))
def test_ranks_are_scipys(values):
    np.testing.assert_array_equal(ranks_of(np.asarray(values)), stats.rankdata(values))


def test_ranks_by_hand():
    score = np.zeros((3, 2, 8, 1))
    score[0, 0], score[1, 0], score[2, 0] = 0.9, 0.5, 0.1
    score[0, 1], score[1, 1], score[2, 1] = 0.2, 0.2, 0.7
    run = curves(np.ones_like(score), score)
    found = {(one.benchmark, one.optimizer): one.rank for one in ranks(run, 1)}
    assert found == {
        ("toy/0", "a"): 1, ("toy/0", "b"): 2, ("toy/0", "c"): 3,
        ("toy/1", "a"): 2.5, ("toy/1", "b"): 2.5, ("toy/1", "c"): 1,
    }  # fmt: skip
    assert {one.optimizer: one.rank for one in mean_ranks(run, 1)} == {"a": 1.75, "b": 2.25, "c": 2}
    assert [one.first for one in mean_ranks(run, 1)] == [1.0, 0.0, 0.0]


def test_without_a_landscape_ranks_go_by_the_median_of_the_best():
    loss = np.asarray([[[[1.0], [1.0], [INF]]], [[[2.0], [0.5], [2.0]]]])
    found = ranks(curves(loss, known=False), 1)
    assert [one.optimizer for one in found] == ["a", "b"]


def test_four_seeds_say_nothing_on_how_sure_a_rank_is():
    score = np.zeros((2, 2, 4, 1))
    score[1] = 1.0
    found = [*ranks(curves(np.ones_like(score), score), 1)]
    found += mean_ranks(curves(np.ones_like(score), score), 1)
    assert [one.rank for one in found] == [1, 2] * 3
    assert {(one.interval.low, one.interval.high, one.first) for one in found} == {(None,) * 3}


def test_a_rank_interval_shows_what_seeds_leave_open():
    rng = np.random.default_rng(4)
    score = rng.normal(size=(3, 1, 20, 1))
    score[2] += 50
    found = {one.optimizer: one for one in ranks(curves(np.ones_like(score), score), 1)}
    assert (found["c"].interval.low, found["c"].interval.high, found["c"].first) == (1, 1, 1.0)
    assert (found["a"].interval.low, found["a"].interval.high) == (2, 3)


def test_the_critical_difference_is_nemenyis_where_there_are_many_benchmarks():
    rng = np.random.default_rng(5)
    score = rng.normal(size=(4, 60, 1, 1))
    found = critical_difference(curves(np.ones_like(score), score), 1)
    q = stats.studentized_range.ppf(0.95, 4, np.inf) / math.sqrt(2)
    assert found.difference == pytest.approx(q * math.sqrt(4 * 5 / (6 * 60)), rel=0.05)
    assert found.p is not None
    assert found.p > 0.05


def test_the_critical_difference_is_refused_below_six_benchmarks():
    score = np.zeros((2, 6, 3, 1))
    score[1] = 1.0
    assert critical_difference(curves(np.ones_like(score), score), 1).difference == 1.0
    run = curves(np.ones_like(score)[:, :5], score[:, :5])
    refused = critical_difference(run, 1)
    assert refused.difference is None
    assert "5 benchmarks are too few" in refused.reason


def test_alike_optimizers_are_rarely_told_apart():
    rng = np.random.default_rng(6)
    called = 0
    for _ in range(100):
        score = rng.normal(size=(3, 8, 1, 1))
        found = critical_difference(curves(np.ones_like(score), score), 1, permutations=500)
        called += found.p is not None and found.p <= 0.05
    assert called <= 13  # 5 of 100 expected, four standard deviations are 9


# targets


def test_expected_running_time_by_hand():
    run = hits([[[[3.0, INF], [INF, INF], [5.0, 9.0]]]], [[[12.0, 10.0, 14.0]]])
    easy, hard = running_times(run)
    # 3 and 5 evaluations until there, 10 in vain: 18 for two successes
    assert (easy.expected, easy.reached, easy.studies) == (9.0, 2, 3)
    assert hard.expected == (12 + 10 + 9) / 1
    assert easy.seconds == 9.0 * 2 * 10


def test_a_target_that_nobody_reached_has_no_expected_time():
    (found,) = running_times(hits([[[[INF]] * 6]], [[[7.0] * 6]], targets=("gap-1.0",)))
    assert (found.expected, found.reached, found.interval.low) == (None, 0, None)


def test_distribution_by_hand():
    run = hits([[[[1.0, 3.0], [2.0, INF]], [[1.0, 1.0], [NAN, NAN]]]], [[[4.0, 4.0], [4.0, NAN]]])
    (found,) = distributions(run)
    # first benchmark: 1, 2, 3, 3 of 4 pairs; second: 2 of 2 from the start
    np.testing.assert_allclose(found.share, [(1 / 4 + 1) / 2, 3 / 4, (3 / 4 + 1) / 2, 7 / 8])


def test_profile_by_hand():
    # expected evaluations: a: 4, 10; b: 2, 20; the last target is reached by nobody
    run = hits(
        [[[[4.0, 10.0, INF]]], [[[2.0, 20.0, INF]]]], [[[30.0]], [[30.0]]],
        targets=("gap-0.5", "gap-0.9", "gap-1.0"),
    )  # fmt: skip
    a, b = profiles(run, taus=(1.0, 1.9, 2.0))
    assert (a.share.tolist(), b.share.tolist()) == ([0.5, 0.5, 1.0], [0.5, 0.5, 1.0])
    assert (a.solved, a.problems) == (1.0, 2)
    assert profiles(run)[0].taus.tolist() == [1.0, 2.0]


# speed-up


def descending(*steps):
    """Best so far over ten evaluations: 10 at first, then each (evaluation, value)."""
    found = np.full(10, 10.0)
    for evaluation, value in steps:
        found[evaluation - 1 :] = value
    return found


def test_speedup_by_hand():
    a = np.asarray([[descending((2, 5.0), (4, 1.0))] * 6, [descending((8, 3.0))] * 6])
    b = np.asarray([[descending((6, 5.0))] * 6, [descending((4, 3.0))] * 6])
    found = {one.benchmark: one for one in speedup_at(curves([a, b]), "a", "b", 8)}
    assert (found["toy/0"].evaluations, found["toy/0"].factor) == (2, 4.0)
    assert (found["toy/1"].evaluations, found["toy/1"].factor) == (8, 1.0)
    assert found[ALL_MEDIANS].factor == pytest.approx(2.0)
    # b's losses at 8 are 5 and 3, mean 4; a's mean is (1 + 10) / 2 from 4, (1 + 3) / 2 from 8 on
    assert (found[ALL_SCORES].evaluations, found[ALL_SCORES].factor) == (8, 1.0)
    assert found["toy/0"].interval.low == 4.0


def test_a_speedup_that_was_not_reached_is_a_bound():
    a, b = np.asarray([[descending()] * 6]), np.asarray([[descending((3, 1.0))] * 6])
    found = speedup_at(curves([a, b]), "a", "b", 5)
    assert (found[0].evaluations, found[0].factor, found[0].bound) == (None, 0.5, True)
    assert found[0].interval.low is None


def test_speedup_of_the_paper_preset_against_itself_is_one():
    loss = np.minimum.accumulate(np.random.default_rng(8).random((1, 3, 9, 20)), axis=-1)
    strictly = loss - 1e-6 * np.arange(20)
    run = curves(np.concatenate([strictly, strictly]))
    for one in speedup_at(run, "a", "b", 12):
        assert one.factor == 1.0
        assert (one.interval.low, one.interval.high) == (1.0, 1.0)


def test_speedup_refuses_what_nobody_ran():
    run = curves(np.ones((2, 1, 2, 5)))
    with pytest.raises(UserError, match="no study of run 'r1' has 9 evaluations"):
        speedup_at(run, "a", "b", 9)
    with pytest.raises(UserError, match="has no optimizer 'z'"):
        speedup_at(run, "a", "z", 3)


# comparisons in strata


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.floats(-2, 2)), min_size=6, max_size=9),
)
def test_a_stratified_p_value_is_that_of_all_sign_flips(rows):
    strata, values = [name for name, _ in rows], np.asarray([value for _, value in rows])
    counts = {name: strata.count(name) for name in strata}
    weights = np.asarray([1 / (len(counts) * counts[name]) for name in strata])
    observed = abs(float(weights @ values))
    sums = [
        abs(float(np.asarray(signs) @ (weights * values)))
        for signs in itertools.product([1, -1], repeat=len(values))
    ]
    oracle = np.mean([x >= observed * (1 - 1e-9) - 1e-15 for x in sums])
    found = compare_differences(values, strata=strata)
    assert found.p == pytest.approx(oracle)
    assert found.difference == pytest.approx(float(weights @ values))


def test_strata_count_alike_however_many_pairs_they_have():
    # nine pairs of one benchmark say 2, one of the other says a half
    found = compare_pairs([1.0] * 10, [2.0] * 9 + [0.5], strata=["many"] * 9 + ["one"])
    assert found.ratio == pytest.approx(1.0)
    assert compare_pairs([1.0] * 10, [2.0] * 9 + [0.5]).ratio == pytest.approx(2**0.8)


def test_differences_by_hand():
    found = compare_differences([0.1, 0.2, 0.3, 0.1, 0.2, 0.3])
    assert (found.verdict, found.ratio) == ("a", None)
    assert found.p == pytest.approx(2 / 64)
    assert found.difference == pytest.approx(0.2)
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < 0.2 < found.high


def test_many_pairs_stay_within_memory_and_agree_with_few():
    rng = np.random.default_rng(9)
    values = rng.normal(0.03, 1.0, 5000)
    found = compare_differences(values)
    oracle = stats.ttest_1samp(values, 0.0).pvalue
    assert found.p == pytest.approx(oracle, abs=0.02)
