"""The parts of the default preset, each against something calculated independently."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from daybreak import (
    Categorical,
    Integer,
    Ordinal,
    Outcome,
    Permutation,
    Program,
    Real,
    Space,
    Trial,
    TrialStatus,
)
from daybreak_baco.default.acquisition import log_expected_improvement
from daybreak_baco.default.candidates import Candidates
from daybreak_baco.default.coding import Coding
from daybreak_baco.default.design import medoids
from daybreak_baco.default.feasibility import Feasibility
from daybreak_baco.default.features import Features
from daybreak_baco.default.memory import Memory
from daybreak_baco.default.outputs import Outputs
from daybreak_baco.default.surrogate import Surrogate

SPACE = Space(
    [
        Ordinal("x", [1, 2, 4, 8, 16]),
        Ordinal("even", [0, 10, 20, 30]),
        Categorical("kind", ["a", "b", "c"]),
        Categorical("flag", [False, True]),
        Permutation("order", 4),
        Permutation("long", 9),
        Integer("depth", 3, 30),
        Real("rate", 0.01, 1.0, log=True),
        Real("share", -1.0, 1.0),
        Program("source", "pass"),
        Ordinal("fixed", [7]),
    ],
    ["x * depth <= 300", "kind != 'a' or rate < 0.5", "pos(order, 1) < pos(order, 2)"],
    "everything",
)


# -- codes -----------------------------------------------------------------------------------------


def test_codes_round_trip() -> None:
    coding = Coding(SPACE)
    drawn = SPACE.sample(50, 0)
    assert coding.configurations(coding.codes(drawn)) == drawn


def test_feasible_rows_are_those_of_the_space() -> None:
    coding = Coding(SPACE)
    rng = np.random.default_rng(0)
    rows = coding.codes(SPACE.sample(200, rng))
    for i in coding.free:
        rows[:, i] = coding.domains[i].vary(rows[:, i], rng)
    expected = [SPACE.feasible(c) for c in coding.configurations(rows)]
    assert coding.feasible(rows).tolist() == expected
    assert 20 < sum(expected) < 200


def test_variations_stay_in_their_domains() -> None:
    coding = Coding(SPACE)
    rng = np.random.default_rng(1)
    rows = coding.codes(SPACE.sample(300, rng))
    for i in coding.free:
        domain = coding.domains[i]
        varied = domain.values(domain.vary(rows[:, i], rng))
        assert all(SPACE[domain.name].contains(value) for value in varied)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("x", 4, {1, 2, 8, 16}),
        ("kind", "b", {"a", "c"}),
        ("flag", True, {False}),
        ("depth", 3, {4, 5, 6, 7, 9, 11, 15, 19, 27}),
    ],
)
def test_steps(name: str, value: object, expected: set[object]) -> None:
    coding = Coding(SPACE)
    domain = next(d for d in coding.domains if d.name == name)
    steps = domain.steps(float(domain.codes([value])[0]))
    assert set(domain.values(steps)) == expected


def test_steps_of_an_order_move_or_swap_elements() -> None:
    domain = next(d for d in Coding(SPACE).domains if d.name == "order")
    start = (2, 0, 1, 3)
    found = set(domain.values(domain.steps(float(domain.codes([start])[0]))))
    expected = set()
    for i, j in itertools.permutations(range(4), 2):
        swapped = list(start)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        moved = [e for k, e in enumerate(start) if k != i]
        moved.insert(j, start[i])
        expected |= {tuple(swapped), tuple(moved)}
    assert found == expected - {start}


# -- features --------------------------------------------------------------------------------------


def test_features_measure_what_they_say() -> None:
    space = Space(
        [
            Ordinal("x", [1, 2, 4, 8, 16]),
            Ordinal("linear", [0, 10, 40]),
            Categorical("kind", ["a", "b", "c"]),
            Permutation("order", 3),
        ]
    )
    coding = Coding(space)
    features = Features(space, coding, 0)
    names = [group.name for group in features.groups]
    assert names == ["x", "linear", "kind", "order:position", "order:precedence"]
    assert features.member.tolist() == [0, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    base = {"x": 4, "linear": 0, "kind": "a", "order": (0, 1, 2)}
    others = [
        base | {"x": 16},
        base | {"linear": 10},
        base | {"kind": "c"},
        base | {"order": (2, 1, 0)},
    ]
    x = features.encode(coding.codes([base, *others]))
    squares = (x[1:] - x[0]) ** 2
    by_group = np.array([[row[features.member == g].sum() for g in range(5)] for row in squares])
    assert by_group[0] == pytest.approx([0.25, 0, 0, 0, 0])  # geometric: rank and logarithm agree
    assert by_group[1] == pytest.approx([0, ((0.25 + 0.5) / 2) ** 2, 0, 0, 0])  # value and rank
    assert by_group[2] == pytest.approx([0, 0, 1, 0, 0])
    assert by_group[3] == pytest.approx([0, 0, 0, 1, 1])


def test_quantities_of_constraints_become_columns() -> None:
    space = Space(
        [Ordinal("bx", [1, 2, 4, 8, 16, 32]), Ordinal("by", [1, 2, 4, 8, 16, 32])],
        ["bx * by <= 256", "by * bx >= 1"],
    )
    coding = Coding(space)
    features = Features(space, coding, 0)
    # the product once: the other way round it would be the same column
    assert [g.name for g in features.groups] == ["bx", "by", "(bx * by)"]
    assert features.groups[2].owners == ("bx", "by")
    pairs = [{"bx": 1, "by": 32}, {"bx": 32, "by": 1}, {"bx": 8, "by": 4}]
    column = features.encode(coding.codes(pairs))[:, 2]
    assert column == pytest.approx(np.full(3, math.log(32) / math.log(256)))


# -- outputs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("values", [[1.0, 2.0, 8.0, 100.0], [-3.0, 0.0, 5.0, 1e6]])
def test_outputs_round_trip_and_keep_the_order(sign: float, values: list[float]) -> None:
    outputs = Outputs(np.array(values), sign)
    y = outputs.to_model(np.array(values))
    assert np.all(np.diff(y) * sign > 0)
    assert y.mean() == pytest.approx(0, abs=1e-12)
    assert y.std() == pytest.approx(1)
    back = [outputs.to_objective(float(v), 0.0)[0] for v in y]
    assert back == pytest.approx(values, rel=1e-6, abs=1e-6)


def test_a_deviation_is_the_slope_times_the_models() -> None:
    outputs = Outputs(np.array([1.0, 2.0, 8.0]), 1.0)
    low, _ = outputs.to_objective(0.3 - 1e-4, 0.0)
    high, _ = outputs.to_objective(0.3 + 1e-4, 0.0)
    _, deviation = outputs.to_objective(0.3, 1e-4)
    assert deviation == pytest.approx((high - low) / 2, rel=1e-4)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
@settings(deadline=None)
def test_outputs_are_always_finite(values: list[float]) -> None:
    for sign in (1.0, -1.0):
        outputs = Outputs(np.array(values), sign)
        y = outputs.to_model(np.array(values))
        assert np.isfinite(y).all()
        assert all(math.isfinite(v) for v in outputs.to_objective(float(y[0]), 0.1))


# -- start, acquisition, models, candidates --------------------------------------------------------


def test_medoids_take_one_of_each_cluster() -> None:
    rng = np.random.default_rng(0)
    centres = np.array([[0, 0], [10, 0], [0, 10], [10, 10]], dtype=float)
    x = np.vstack([c + rng.normal(size=(20, 2)) * 0.1 for c in centres])
    found = medoids(x, 4, rng)
    assert sorted(found // 20) == [0, 1, 2, 3]


@pytest.mark.parametrize("k", [0, 1, 3, 5])
def test_medoids_of_few_or_equal_points(k: int) -> None:
    rng = np.random.default_rng(0)
    assert len(medoids(np.zeros((3, 2)), k, rng)) <= 3
    assert len(set(medoids(np.eye(4), k, rng).tolist())) == min(k, 4)


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (-2.0, 0.3), (3.0, 1.0), (1.0, 0.2)])
def test_expected_improvement_is_the_integral(mean: float, deviation: float) -> None:
    expected, _ = quad(
        lambda f: (0.5 - f) * norm.pdf(f, mean, deviation), -12, 0.5, points=[mean], limit=200
    )
    found = log_expected_improvement(np.array([mean]), np.array([deviation]), 0.5)
    assert found[0] == pytest.approx(math.log(expected), rel=1e-4)


def test_expected_improvement_falls_smoothly_far_away() -> None:
    mean = np.linspace(-5, 1e5, 4001)
    found = log_expected_improvement(mean, np.ones_like(mean), 0.0)
    assert np.isfinite(found).all()
    assert np.all(np.diff(found) < 0)


def test_surrogate_follows_the_column_that_matters() -> None:
    rng = np.random.default_rng(2)
    x = rng.random((30, 3))
    y = np.sin(5 * x[:, 0])
    surrogate = Surrogate(np.array([0, 1, 1], dtype=np.intp), (0.03, 1.0), 1e-6)
    process = surrogate.fit(x, (y - y.mean()) / y.std())
    assert surrogate.hyperparameters.lengthscales[0] < surrogate.hyperparameters.lengthscales[1]
    z = rng.random((200, 3))
    assert np.corrcoef(process.predict(z)[0], np.sin(5 * z[:, 0]))[0, 1] > 0.95


def test_feasibility_learns_a_limit() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((40, 2))
    fails = x.sum(axis=1) > 1.2
    model = Feasibility(np.arange(2, dtype=np.intp))
    model.fit(x[~fails], x[fails])
    z = rng.random((500, 2))
    probability = np.exp(model.log_probability(z))
    truth = z.sum(axis=1) <= 1.2
    assert np.mean((probability > 0.5) == truth) > 0.9
    assert probability[truth].mean() > 0.8
    model.fit(x, x[:0])
    assert model.log_probability(z).max() == model.log_probability(z).min() == 0.0


@pytest.mark.parametrize("exact", [0, 10_000])
def test_candidates_find_the_best_of_a_large_space(exact: int) -> None:
    space = Space([Ordinal(n, list(range(12))) for n in "abc"], ["a + b <= 16"], "grid")
    coding = Coding(space)
    candidates = Candidates(space, coding, Features(space, coding, 0), exact, 50)
    goal = np.array([9.0, 6.0, 2.0])

    def score(rows: np.ndarray, _: np.ndarray) -> np.ndarray:
        return -np.abs(rows - goal).sum(axis=1)

    known: set[bytes] = set()
    rng = np.random.default_rng(0)
    found = [candidates.best(score, known, np.zeros((0, 3)), rng)]
    assert found[0] is not None
    assert found[0].tolist() == goal.tolist()
    known.add(found[0].tobytes())
    second = candidates.best(score, known, found[0][None], rng)
    assert second is not None
    assert np.abs(second - goal).sum() == 1


def test_noise_is_what_repeated_measurements_say() -> None:
    """Intervals of +-1.96 deviations of 10 % each; the logarithms' deviation is log 2 by hand."""
    space = Space([Ordinal("x", (1, 2, 4))])
    memory = Memory(space, Coding(space))
    assert memory.error is None
    for number, value in enumerate((1.0, 4.0)):
        wide = 1.96 * 0.1 * value
        outcome = Outcome(
            TrialStatus.OK, objectives={"time": value}, low=value - wide, high=value + wide
        )
        memory.tell([Trial(number, {"x": 2**number}, outcome)])
    memory.tell([Trial(2, {"x": 4}, Outcome(TrialStatus.OK, objectives={"time": 2.0}))])
    assert memory.error == pytest.approx(0.1)
    outputs = Outputs(np.array([1.0, 4.0]), 1.0)
    assert outputs.noise(0.1, 1e-6, 1.0) == pytest.approx((0.1 / math.log(2)) ** 2)
    assert outputs.noise(0.1, 0.05, 1.0) == 0.05
    assert outputs.noise(10.0, 1e-6, 0.3) == 0.3
    assert Outputs(np.array([-1.0, 4.0]), 1.0).noise(10.0, 1e-6, 0.3) == 1e-6


def test_surrogate_believes_the_noise_it_expects() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((12, 1))
    y = np.sin(4 * x[:, 0]) + 0.3 * rng.standard_normal(12)
    found = []
    for median in (1e-4, 0.3):
        surrogate = Surrogate(np.zeros(1, dtype=np.intp), (0.001, 0.5), 1e-6)
        surrogate.expect_noise(median)
        surrogate.fit(x, y)
        found.append(surrogate.hyperparameters.noise)
    assert found[0] < 0.1 < found[1]
