"""The tables of halp and hogwild: rows as they are described, on problems of a second."""

from __future__ import annotations

import pytest

from daybreak_train.halp import tables as halp_tables
from daybreak_train.hogwild import tables as hogwild_tables
from daybreak_train.team import thread_choices

pytestmark = pytest.mark.slow  # all precisions and modes are compiled


def test_halp_curves_tell_floors_from_rates():
    options = {"samples": 400, "features": 20, "epochs": 60}
    choices = {"step": 0.25, "inner": 2, "mu": 0.1}
    rows = {
        (algorithm, bits): rest
        for algorithm, bits, *rest in halp_tables.curve_rows(options, choices, 1e-3, 2)
    }
    assert list(rows) == list(halp_tables.WAYS)
    end, decades, passes, seconds = rows["halp", 8]
    assert end < 1e-6
    assert decades > 0.05
    assert 0 < passes <= 60
    assert seconds > 0
    assert rows["lp-svrg", 8][0] > 1e-3
    assert rows["lp-svrg", 8][2:] == [None, None]


def test_halp_steps_are_relative_to_full_precision():
    rows = list(halp_tables.step_rows(500, (16,), 2))
    assert [row[2] for row in rows] == [64, 32, 16, 8]
    assert [row[1] for row in rows] == [pytest.approx(500 * 16 * b / 8e6) for b in (64, 32, 16, 8)]
    assert rows[1][5] == 1.0
    assert rows[0][6] == 1.0
    assert rows[3][5] == pytest.approx(rows[1][3] / rows[3][3])


def test_hogwild_tables_have_every_way():
    options = {"samples": 500, "features": 200, "nonzeros": 8, "epochs": 3}
    rows = list(hogwild_tables.thread_rows(options, 64, 1))
    assert len(rows) == 3 * len(thread_choices(None)) * len(hogwild_tables.SIGNATURES)
    assert rows[0][:3] == ("hogwild", 1, "D32M32")
    assert rows[0][5] == 1.0
    assert all(row[3] > 0 and row[6] < 1.0 for row in rows)
    rows = list(hogwild_tables.rounding_rows(options, 8.0, 1))
    assert [row[:2] for row in rows[:3]] == [
        ("D32M32", None), ("D8M16", "nearest"), ("D8M16", "fresh"),
    ]  # fmt: skip
    rows = list(hogwild_tables.sparsity_rows(500, 200, (2, 20), 1))
    assert rows[0][2] < rows[1][2]  # rho grows with the numbers of a sample


@pytest.mark.parametrize("tables", [halp_tables, hogwild_tables])
def test_an_unknown_table_is_refused(tables, capsys):
    with pytest.raises(SystemExit):
        tables.main(["nothing"])
    assert "invalid choice" in capsys.readouterr().err
