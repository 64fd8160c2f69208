from __future__ import annotations

from pathlib import Path

import pytest

from daybreak.errors import SuiteError
from daybreak.suite import SuiteFaultsError, find_suite, load_suite, parse_suite

BASE = "suite: 1\nname: mine\nbenchmarks: [fake/spmm]\noptimizers: [random]\n"
FULL = BASE + "budget: {evaluations: 5}\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shortest_suite_has_the_documented_defaults():
    suite = parse_suite(FULL)
    assert suite.seeds == (0,)
    assert suite.batch == 1
    protocol = suite.protocol.record()
    assert (protocol.repeats.min, protocol.repeats.max, protocol.timeout_s) == (5, 50, 30.0)
    assert protocol.warmup == "auto"
    assert suite.benchmarks[0].budget.evaluations == 5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("2min", 120), ("1h30min", 5400), ("1.5 h", 5400),
     ("45", 45), ("'45'", 45), ("1d", 86400), ("2e2", 200), ("10us", 1e-5)],
)  # fmt: skip
def test_durations_have_units_and_a_bare_number_is_seconds(text, seconds):
    suite = parse_suite(BASE + f"budget: {{seconds: {text}}}\n")
    assert suite.budget is not None
    assert suite.budget.seconds == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["m", "1m", "-3s", "0", "0s", ".inf", "1 fortnight", "s30", "[]"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(SuiteError) as caught:
        parse_suite(BASE + f"budget: {{seconds: {text}}}\n")
    assert caught.value.line == 5
    assert "duration" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GiB", 4 * 1024**3), ("2GB", 2 * 10**9), ("1.5MiB", 1572864), ("4096", 4096)],
)
def test_sizes_have_units_and_a_bare_number_is_bytes(text, size):
    assert parse_suite(FULL + f"limits: {{memory: {text}}}\n").limits.memory == size


def test_scalars_are_those_of_yaml_1_2():
    suite = parse_suite(
        BASE.replace(
            "[fake/spmm]", "[{fake/spmm: {a: no, b: 12:30, c: 1e3, d: 0o17, e: 2020-01-01}}]"
        )
        + "budget: {evaluations: 1e2}\n"
    )
    assert suite.benchmarks[0].options == {
        "a": "no", "b": "12:30", "c": 1000.0, "d": 15, "e": "2020-01-01",
    }  # fmt: skip
    assert suite.benchmarks[0].budget.evaluations == 100


def test_anchors_aliases_and_merge_keys_work():
    suite = parse_suite(
        BASE.replace(
            "[fake/spmm]", "[fake/spmm, {fake/spmv: {}, protocol: {<<: *p, warmup: 3}}]"
        ).replace("name: mine\n", "name: mine\nx-p: &p {timeout: 5s, warmup: 2}\n")
        + "budget: {evaluations: 5}\nprotocol: *p\n"
    )
    assert suite.benchmarks[0].protocol.warmup == 2
    assert (suite.benchmarks[1].protocol.warmup, suite.benchmarks[1].protocol.timeout) == (3, 5.0)


def test_of_several_merged_mappings_the_first_wins():
    suite = parse_suite(
        "x-a: &a {timeout: 1s}\nx-b: &b {timeout: 2s, warmup: 7}\n"
        + FULL
        + "protocol: {<<: [*a, *b]}\n"
    )
    assert (suite.protocol.timeout, suite.protocol.warmup) == (1.0, 7)


def test_a_fault_in_an_anchor_is_placed_where_it_is_written():
    with pytest.raises(SuiteError) as caught:
        parse_suite(FULL + "x-p: &p\n  timeout: soon\nprotocol: *p\n")
    assert (caught.value.line, caught.value.column) == (7, 3)


def test_a_benchmark_takes_back_a_bound_and_a_threshold():
    suite = parse_suite(
        BASE.replace(
            "[fake/spmm]",
            "[{fake/spmm: {}, budget: {evaluations: null, seconds: 9}, targets: {expert: null}}]",
        )
        + "budget: {evaluations: 5}\ntargets: {expert: 1.0}\n"
    )
    assert suite.benchmarks[0].budget.evaluations is None
    assert suite.benchmarks[0].budget.seconds == 9
    assert suite.benchmarks[0].targets == {}


def test_repeats_that_give_only_one_bound_move_the_other():
    suite = parse_suite(FULL + "protocol: {repeats: {max: 3}}\n")
    assert (suite.protocol.repeats.min, suite.protocol.repeats.max) == (3, 3)
    suite = parse_suite(FULL + "protocol: {repeats: {min: 80}}\n")
    assert (suite.protocol.repeats.min, suite.protocol.repeats.max) == (80, 80)


def test_several_faults_are_raised_together_in_the_order_of_the_file():
    with pytest.raises(SuiteFaultsError) as caught:
        parse_suite(FULL + "seeds: three\nprotocol: {tmeout: 3}\nbugdet: 3\n")
    assert [fault.line for fault in caught.value.faults] == [6, 7, 8]
    assert [fault.nearest for fault in caught.value.faults] == [None, "timeout", "budget"]
    assert str(caught.value).count("<text>:") == 3


def test_braces_in_a_message_are_shown_as_written():
    with pytest.raises(SuiteError, match=r"wrong value: text '\{a\}\{message\}'"):
        parse_suite(FULL.replace("mine", "'{a}{message}'"))


class TestIncludes:
    def test_later_files_and_the_suite_itself_lie_on_top(self, tmp_path):
        write(tmp_path / "a.yaml", "budget: {evaluations: 1, seconds: 1}\nprotocol: {timeout: 1}\n")
        (tmp_path / "sub").mkdir()
        write(tmp_path / "sub/b.yaml", "include: ../c.yaml\nprotocol: {timeout: 2}\n")
        write(tmp_path / "c.yaml", "protocol: {timeout: 3, interleave: 3}\nseeds: 3\n")
        path = write(
            tmp_path / "s.yaml", BASE + "include: [a.yaml, sub/b.yaml]\nbudget: {evaluations: 9}\n"
        )
        suite = load_suite(path)
        assert suite.budget is not None
        assert (suite.budget.evaluations, suite.budget.seconds) == (9, 1)
        assert (suite.protocol.timeout, suite.protocol.interleave) == (2, 3)
        assert suite.seeds == (0, 1, 2)
        assert len(suite.sources) == 4

    def test_lists_are_replaced_as_a_whole(self, tmp_path):
        write(tmp_path / "a.yaml", FULL)
        text = "suite: 1\ninclude: a.yaml\nbenchmarks: [fake/spmv]\n"
        suite = load_suite(write(tmp_path / "s.yaml", text))
        assert [entry.name for entry in suite.benchmarks] == ["fake/spmv"]

    def test_a_fault_in_an_included_file_names_that_file(self, tmp_path):
        write(tmp_path / "a.yaml", "budget:\n  evaluatons: 5\n")
        path = write(tmp_path / "s.yaml", BASE + "include: a.yaml\n")
        with pytest.raises(SuiteError) as caught:
            load_suite(path)
        found = (
            caught.value.faults[0] if isinstance(caught.value, SuiteFaultsError) else caught.value
        )
        assert found.file == str(tmp_path / "a.yaml")
        assert (found.line, found.column, found.nearest) == (2, 3, "evaluations")

    def test_a_circle_is_detected(self, tmp_path):
        write(tmp_path / "a.yaml", "seeds: 2\ninclude: b.yaml\n")
        write(tmp_path / "b.yaml", "include: a.yaml\n")
        path = write(tmp_path / "s.yaml", FULL + "include: a.yaml\n")
        with pytest.raises(
            SuiteError, match=r"includes itself: a.yaml -> b.yaml -> a.yaml"
        ) as caught:
            load_suite(path)
        assert (caught.value.file, caught.value.line) == (str(tmp_path / "b.yaml"), 1)

    def test_a_file_included_twice_by_different_ways_is_no_circle(self, tmp_path):
        write(tmp_path / "c.yaml", "seeds: 2\n")
        write(tmp_path / "a.yaml", "include: c.yaml\n")
        path = write(tmp_path / "s.yaml", FULL + "include: [a.yaml, c.yaml]\n")
        assert load_suite(path).seeds == (0, 1)

    def test_a_missing_include_is_placed_at_its_line(self, tmp_path):
        write(tmp_path / "common.yaml", "seeds: 2\n")
        path = write(tmp_path / "s.yaml", FULL + "include:\n  - comon.yaml\n")
        with pytest.raises(SuiteError, match=r"cannot include 'comon.yaml'") as caught:
            load_suite(path)
        assert (caught.value.line, caught.value.nearest) == (7, "common.yaml")

    @pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"- 1\n", b"a: b: c\n"])
    def test_an_unreadable_include_is_a_fault_with_a_line(self, tmp_path, content):
        (tmp_path / "a.yaml").write_bytes(content)
        path = write(tmp_path / "s.yaml", FULL + "include: a.yaml\n")
        with pytest.raises(SuiteError) as caught:
            load_suite(path)
        assert caught.value.line is not None

    def test_an_include_of_another_version_is_refused(self, tmp_path):
        write(tmp_path / "a.yaml", "suite: 9\n")
        path = write(tmp_path / "s.yaml", FULL + "include: a.yaml\n")
        with pytest.raises(SuiteError, match="the suite has format 9") as caught:
            load_suite(path)
        assert caught.value.file == str(tmp_path / "a.yaml")

    def test_a_shipped_suite_may_be_included_by_name(self, tmp_path):
        text = "suite: 1\nname: mine\ninclude: quickstart\nseeds: 1\n"
        suite = load_suite(write(tmp_path / "s.yaml", text))
        assert suite.name == "mine"
        assert suite.benchmarks


class TestFinding:
    def test_a_name_is_a_shipped_suite(self):
        assert find_suite("quickstart").name == "quickstart.yaml"

    def test_a_path_from_the_root_of_the_repository_works(self, monkeypatch):
        monkeypatch.chdir(Path(__file__).parents[2])
        assert find_suite("suites/quickstart.yaml").is_file()

    def test_a_file_of_that_name_is_preferred_when_the_suffix_is_given(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        write(tmp_path / "quickstart.yaml", FULL)
        assert load_suite("quickstart.yaml").name == "mine"
        assert load_suite("quickstart").name == "quickstart"
        (tmp_path / "quickstart.yaml").unlink()
        assert load_suite("quickstart.yaml").name == "quickstart"

    @pytest.mark.parametrize("name", ["quikstart", "suits/quickstart.yaml", "quikstart.yml"])
    def test_a_misspelt_name_gets_the_nearest(self, name):
        with pytest.raises(SuiteError) as caught:
            find_suite(name)
        assert caught.value.nearest == "quickstart"
        assert caught.value.remedy == "daybreak suites list"

    @pytest.mark.parametrize("name", ["", "\0", "a" * 5000, "a\0/b.yaml"])
    def test_no_name_ends_in_another_exception(self, name):
        with pytest.raises(SuiteError):
            load_suite(name)
