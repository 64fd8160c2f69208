"""Files that no writer we know makes, but somebody's will: each is read, or refused in one message."""

from __future__ import annotations

import copy
import itertools
import json
import math
import random
from typing import Any

import pytest
from replay_files import cache, entry, result, t4, write, write_csv

from daybreak import ImportRequest
from daybreak.errors import UserError
from daybreak_replay.importer import T4Importer, TableImporter
from daybreak_replay.loading import Reading, load_table

GRID = [result({"x": x, "y": y}, (x + y, x + y + 0.5)) for x in (1, 2, 4) for y in (1, 2)]
ENTRIES = [entry(x, y, (x + y + 1.0,)) for x in (1, 2, 4) for y in (0, 1)]
HUGE = 10**400


def fails(path, match, **options):
    with pytest.raises(UserError, match=match) as caught:
        load_table(path, Reading.of(options))
    assert str(path) in str(caught.value)
    return caught.value


def import_as(importer, path, tmp_path, **options):
    given = {"format": "auto", **options}
    return importer().read(ImportRequest(path, None, data=tmp_path / "data", options=given))


class TestNames:
    def test_names_that_constraints_cannot_spell_are_replaced_and_told(self, tmp_path, define):
        rows = [
            result(
                {"block-size x": x, "größe": y, "3d": z, "ブロック": 1, "and": 2, "": 3}, (x + y,)
            )
            for x in (1, 2)
            for y in (1, 2)
            for z in (0, 1)
        ]
        benchmark = define(path=write(tmp_path / "a.json", t4(rows)))
        assert benchmark.space.names == ("block_size_x", "groesse", "_3d", "p3", "and_", "p5")
        assert benchmark.space.count() == 8
        (note,) = [one for one in benchmark.notes if "renamed" in one]
        assert "'block-size x' is block_size_x" in note
        assert "'ブロック' is p3" in note

    def test_new_names_are_unique_and_old_ones_stay(self, tmp_path, define):
        rows = [result({"a-b": x, "a_b": y, "a b": 1}, (x + y,)) for x in (1, 2) for y in (5, 6)]
        space = define(path=write(tmp_path / "a.json", t4(rows))).space
        assert space.names == ("a_b_2", "a_b", "a_b_3")
        assert {"a_b_2": 1, "a_b": 6, "a_b_3": 1} in space

    def test_a_cache_with_such_names(self, tmp_path, define):
        entries = {
            f"{x},{y}": {"size-x": x, "size-y": y, "time": float(x + y)}
            for x in (1, 2)
            for y in (1, 2)
        }
        content = {
            "tune_params_keys": ["size-x", "size-y"],
            "tune_params": {"size-x": [1, 2], "size-y": [1, 2]},
            "cache": entries,
        }
        space = define(path=write(tmp_path / "a.json", content)).space
        assert (space.names, space.count()) == (("size_x", "size_y"), 4)

    def test_a_space_of_the_same_names_fits(self, tmp_path, define):
        rows = [result({"size-x": x, "n": n}, (x + n,)) for x in (1, 2) for n in (1, 2)]
        space = {
            "ConfigurationSpace": {
                "TuningParameters": [
                    {"Name": "size-x", "Type": "int", "Values": "[1, 2]"},
                    {"Name": "n", "Type": "int", "Values": "[1, 2]"},
                ],
                "Conditions": [{"Expression": "size_x <= n", "Parameters": ["size-x", "n"]}],
            }
        }
        benchmark = define(
            path=write(tmp_path / "a.json", t4(rows)),
            space=str(write(tmp_path / "t1.json", space)),
        )
        assert benchmark.space.count() == 3


class TestValues:
    def test_lists_that_are_no_orders_are_texts(self, tmp_path, define):
        rows = [
            result({"block": block, "y": y}, (y + 1,))
            for block in ([32, 1], [16, 2], [8, 4])
            for y in (0, 1)
        ]
        benchmark = define(path=write(tmp_path / "a.json", t4(rows)))
        assert benchmark.space["block"].type == "categorical"
        assert {"block": "[8, 4]", "y": 1} in benchmark.space
        assert any("'block' holds lists" in note for note in benchmark.notes)

    def test_orders_of_several_lengths_are_texts(self, tmp_path, define):
        rows = [result({"order": order}, (len(order),)) for order in ([0, 1], [1, 0, 2], [0])]
        space = define(path=write(tmp_path / "a.json", t4(rows))).space
        assert {"order": "[1, 0, 2]"} in space

    def test_orders_stay_orders(self, tmp_path, define):
        rows = [result({"o": list(o)}, (1.0 + o[0],)) for o in itertools.permutations(range(3))]
        assert define(path=write(tmp_path / "a.json", t4(rows))).space["o"].type == "permutation"

    def test_lists_in_a_cache_with_declared_values(self, tmp_path, define):
        blocks = [[32, "a"], [16, "b"]]
        entries = {
            f"{x},{block}": {"x": x, "block": block, "time": float(x)}
            for x in (1, 2)
            for block in blocks
        }
        content = {
            "tune_params_keys": ["x", "block"],
            "tune_params": {"x": [1, 2], "block": blocks},
            "cache": entries,
        }
        space = define(path=write(tmp_path / "a.json", content)).space
        assert {"x": 1, "block": '[16, "b"]'} in space

    def test_truth_values_among_numbers_are_numbers(self, tmp_path, define):
        rows = [result({"n": n, "y": y}, (1 + y,)) for n in (True, 0, 2) for y in (1, 2)]
        rows.append(result({"n": 1, "y": 1}, (9.0,)))
        benchmark = define(path=write(tmp_path / "a.json", t4(rows)))
        assert benchmark.space["n"].type == "ordinal"
        assert {"n": 1, "y": 2} in benchmark.space
        assert any("'n' holds truth values and numbers" in note for note in benchmark.notes)

    def test_numbers_too_large_for_a_model(self, tmp_path, define):
        rows = [result({"n": n}, (1.0,)) for n in (1, HUGE)]
        path = write(tmp_path / "a.json", t4(rows))
        with pytest.raises(UserError) as caught:
            define(path=path)
        assert str(path) in str(caught.value)

    @pytest.mark.parametrize("digits", [400, 5000])
    def test_times_too_large_for_a_float(self, tmp_path, digits):
        text = json.dumps(t4([*GRID, result({"x": 8, "y": 1}, (777.0,))]))
        path = write(tmp_path / "a.json", text.replace("777.0", "1" + "0" * digits))
        fails(path, "is inf" if digits == 400 else "this is not JSON")

    def test_a_compile_time_too_large_for_a_float(self, tmp_path):
        rows = [*GRID, result({"x": 8, "y": 1}, compilation=HUGE)]
        fails(write(tmp_path / "a.json", t4(rows)), "result 6: the time of build is inf")


class TestNothingToReplay:
    def test_failures_only(self, tmp_path):
        rows = [result({"x": x}, None, invalidity="compile") for x in (1, 2)]
        fails(write(tmp_path / "a.json", t4(rows)), "none of its 2 results was measured")
        content = cache([entry(x, 0, "CompilationFailedConfig") for x in (1, 2)])
        fails(write(tmp_path / "b.json", content), "none of its 2 entries was measured")

    def test_everything_outside_the_space(self, tmp_path):
        rows = [result({"x": x}, None, invalidity="constraints") for x in (1, 2)]
        fails(write(tmp_path / "a.json", t4(rows)), "none of its 2 results was measured")

    def test_no_parameters(self, tmp_path):
        error = fails(write(tmp_path / "a.json", t4([result({})])), "result 0: .* no parameters")
        assert "configuration" in str(error.expected)


class TestShapes:
    @pytest.mark.parametrize("objectives", ["time", ["time"], {"time": 1}, None, 5, [], [5]])
    def test_objectives_however_they_are_written(self, tmp_path, objectives):
        rows = [{**row, "objectives": objectives} for row in GRID]
        assert load_table(write(tmp_path / "a.json", t4(rows)), Reading()).objectives == ("time",)

    @pytest.mark.parametrize("objective", ["time", ["time"], None, 5, {"time": 1}])
    def test_a_caches_objective_however_it_is_written(self, tmp_path, objective):
        path = write(tmp_path / "a.json", cache(ENTRIES, objective=objective))
        assert load_table(path, Reading()).objectives == ("time",)

    @pytest.mark.parametrize("version", ["1.0.0", "1.7", "1", 1, 1.0, None])
    def test_versions_that_are_known(self, tmp_path, version):
        path = write(tmp_path / "a.json", t4(GRID, schema_version=version))
        assert len(load_table(path, Reading())) == 6
        path = write(tmp_path / "b.json", cache(ENTRIES, schema_version=version))
        assert len(load_table(path, Reading())) == 6

    @pytest.mark.parametrize("version", ["10.0", "2", 11, {"a": 1}, True])
    def test_versions_that_are_not(self, tmp_path, version):
        fails(write(tmp_path / "a.json", t4(GRID, schema_version=version)), "is not known")

    @pytest.mark.parametrize("results", [None, "none", 3])
    def test_results_that_are_no_list(self, tmp_path, results):
        content = {**t4([]), "results": results}
        error = fails(write(tmp_path / "a.json", content), "`results` is no list but")
        assert error.field == "results"

    def test_a_cache_that_is_a_list(self, tmp_path):
        content = {**cache(ENTRIES), "cache": ENTRIES}
        fails(write(tmp_path / "a.json", content), "`cache` is a list")


class TestImporting:
    def test_remedies_are_typed_as_on_the_command_line(self, tmp_path):
        path = write(tmp_path / "a.json", {"results": GRID})
        with pytest.raises(UserError) as caught:
            import_as(T4Importer, path, tmp_path)
        assert caught.value.remedy == "`-o time_unit=ms` (what Kernel Tuner writes)"
        rows = [
            {**r, "measurements": [{"name": "v", "value": 1.0}], "objectives": ["v"]} for r in GRID
        ]
        with pytest.raises(UserError) as caught:
            import_as(T4Importer, write(tmp_path / "b.json", t4(rows)), tmp_path)
        assert caught.value.remedy == "`-o 'objectives={v: {unit: UNIT, direction: maximize}}'`"

    @pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet", "folder"])
    def test_another_kind_of_file_names_the_importer_that_takes_it(self, tmp_path, name):
        path = tmp_path / name
        if name == "folder":
            path.mkdir()
        else:
            write(path, "x,time\n1,2\n")
        with pytest.raises(UserError, match="this importer does not read") as caught:
            import_as(T4Importer, path, tmp_path)
        assert caught.value.remedy == f"daybreak import table {path}"

    def test_the_importer_of_tables_takes_odd_columns(self, tmp_path):
        path = write_csv(tmp_path / "a.csv", ["tile size", "ms"], [[1, 2.0], [2, 1.5]])
        report = import_as(
            TableImporter,
            path,
            tmp_path,
            parameters=["tile size"],
            objectives={"time": {"unit": "ms", "direction": "minimize", "column": "ms"}},
        )
        assert report.kept == 2
        assert any("'tile size' is tile_size" in note for note in report.notes)


STRANGE: list[Any] = [
    None, True, -1, 0, 3, HUGE, 1.5, math.nan, math.inf, "", "time", "x" * 40, [], [1], ["a", None],
    [[1, 2]], {}, {"a": 1}, {"time": {"b": []}},
]  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inner:
        child = (*path, key)
        found += _places(one, child) if isinstance(one, dict | list) else [child]
    return found


def _changed(content: Any, rng: random.Random) -> Any:
    """Put a strange value somewhere, take something away, or call it otherwise."""
    changed = copy.deepcopy(content)
    *above, last = rng.choice(_places(content)[1:])
    holder = changed
    for key in above:
        holder = holder[key]
    what = rng.randrange(4)
    if what == 0:
        del holder[last]
    elif what == 1 and isinstance(holder, dict):
        holder[str(rng.choice(STRANGE))[:50]] = holder.pop(last)
    else:
        holder[last] = rng.choice(STRANGE)
    return changed


@pytest.mark.parametrize("content", [t4(GRID), cache(ENTRIES)], ids=["t4", "cache"])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_changed_the_file_is_read_or_refused(tmp_path, define, content, seed):
    rng = random.Random(seed)
    for number in range(60):
        changed = _changed(content, rng)
        for _ in range(rng.randrange(3)):
            changed = _changed(changed, rng) if len(_places(changed)) > 1 else changed
        path = write(tmp_path / f"{number}.json", changed)
        bad_rows = rng.choice(["refuse", "drop", "failed"])
        try:
            benchmark = define(path=path, bad_rows=bad_rows)
        except UserError as error:
            assert f"{number}.json" in str(error), json.dumps(changed)  # noqa: PT017
        else:
            assert benchmark.space.count()
