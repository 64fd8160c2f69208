"""The parts of the conformance kit, each for itself."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import time
from time import perf_counter

import pytest

from daybreak import testing
from daybreak.plugin import Component, OptimizerSpec, TargetSpec
from daybreak.testing import drive, failed, measured, problems, write_distribution
from daybreak.testing.clocks import forbid_clocks
from daybreak.testing.components import ComponentConformance
from daybreak.testing.exercises import OUTSIDE
from daybreak.testing.probe import ask_process, describe_component


def kit(tmp_path, body: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a test file in a pytest of its own."""
    (tmp_path / "test_mine.py").write_text(body, encoding="utf-8")
    # nothing of this pytest's own options and workers
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**environment, "PYTHONPATH": str(tmp_path)},
        timeout=300,
        check=False,
    )


class TestProblems:
    def test_every_kind_of_parameter_is_there(self):
        types = {
            parameter.type
            for problem in problems().values()
            for parameter in problem.space.parameters
        }
        assert types == {"real", "integer", "ordinal", "categorical", "permutation", "program"}

    def test_references_inside_and_outside(self):
        for problem in problems().values():
            inside, outside = problem.references
            assert inside.configuration in problem.space
            assert outside.name == OUTSIDE
            assert outside.configuration not in problem.space

    def test_spaces_are_the_same_every_time(self):
        first = {name: one.space.fingerprint() for name, one in problems(seed=1).items()}
        assert first == {name: one.space.fingerprint() for name, one in problems(seed=2).items()}

    def test_outcomes_depend_on_the_configuration_alone(self):
        problem = problems(objectives=2)["ordinal"]
        one, other = problem.space.sample(2, 0, unique=True)
        assert measured(one, problem) == measured(dict(one), problem)
        assert measured(one, problem) != measured(other, problem)
        assert set(measured(one, problem).objectives) == {"time", "rate"}

    def test_a_failed_outcome_has_no_values(self):
        problem = problems()["ordinal"]
        assert list(failed(problem).objectives.values()) == [None]


class TestDrive:
    class Fixed:
        def __init__(self, configurations):
            self.left = list(configurations)
            self.told = []

        def ask(self, n=1):
            asked, self.left = self.left[:n], self.left[n:]
            return asked

        def tell(self, trials):
            self.told.append([trial.number for trial in trials])

    def test_batches_are_told_as_they_were_asked(self):
        problem = problems()["ordinal"]
        optimizer = self.Fixed(problem.space.sample(7, 0))
        trials = drive(optimizer, problem, 6, batch=4)
        assert [trial.number for trial in trials] == list(range(6))
        assert optimizer.told == [[0, 1, 2, 3], [4, 5]]

    def test_it_ends_when_nothing_is_proposed(self):
        problem = problems()["ordinal"]
        assert len(drive(self.Fixed(problem.space.sample(3, 0)), problem, 10)) == 3

    def test_recorded_trials_are_told_instead_of_measured(self):
        problem = problems()["ordinal"]
        configurations = problem.space.sample(4, 0)
        first = drive(self.Fixed(configurations), problem, 4)
        calls = []

        def outcome(number, configuration, problem):
            calls.append(number)
            return measured(configuration, problem)

        second = drive(self.Fixed(configurations), problem, 4, recorded=first[:3], outcome=outcome)
        assert calls == [3]
        assert second == first

    def test_more_than_asked_for_is_an_error(self):
        problem = problems()["ordinal"]

        class Greedy(self.Fixed):
            def ask(self, n=1):
                return self.left

        with pytest.raises(AssertionError, match=r"ask\(1\) returned 3"):
            drive(Greedy(problem.space.sample(3, 0)), problem, 3)


class TestClocks:
    @pytest.mark.parametrize(
        "read",
        [
            time.time,
            perf_counter,
            time.monotonic_ns,
            time.process_time,
            datetime.datetime.now,
            datetime.datetime.utcnow,
            datetime.date.today,
            lambda: datetime.datetime.now(datetime.UTC),
        ],
    )
    def test_each_clock_is_noticed(self, read):
        package = __name__.partition(".")[0]
        with forbid_clocks(package) as readings:
            value = read()
        assert value
        assert len(readings) == 1
        assert "calls" in readings[0]

    def test_clocks_read_by_others_do_not_count(self):
        with forbid_clocks("some_other_package") as readings:
            time.time()
            json.dumps({})
        assert readings == []

    def test_the_profiler_that_was_there_comes_back(self):
        def profiler(*_):
            return None

        sys.setprofile(profiler)
        try:
            with forbid_clocks("x"):
                pass
            assert sys.getprofile() is profiler
        finally:
            sys.setprofile(None)


class TestProbe:
    def test_a_failing_process_is_an_assertion_with_its_message(self):
        spec = TargetSpec(name="gone", factory="no_such_module:Gone", summary="Gone")
        question = {"component": describe_component(Component(spec, "p")), "name": "x"}
        with pytest.raises(AssertionError, match="no_such_module"):
            ask_process("identity", {**question, "options": {}})

    def test_a_process_that_takes_too_long_is_ended(self, tmp_path, monkeypatch):
        (tmp_path / "sleeps_forever.py").write_text("import time\ntime.sleep(600)\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        with pytest.raises(AssertionError, match="no answer within"):
            ask_process("imports", {"paths": ["sleeps_forever:x"]}, timeout_s=3)

    def test_what_a_plugin_prints_does_not_spoil_the_answer(self, tmp_path, monkeypatch):
        (tmp_path / "chatty_part.py").write_text("print('hello')\nx = 1\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        assert ask_process("imports", {"paths": ["chatty_part:x"]}) == {}

    def test_an_import_that_fails_is_told_by_path(self):
        found = ask_process("imports", {"paths": ["json:dumps", "no_such:x", "json:no_such"]})
        assert set(found) == {"no_such:x", "json:no_such"}


class TestClasses:
    def test_a_class_that_names_nothing_is_a_programmers_error(self):
        with pytest.raises(TypeError, match="neither `component_name` nor `spec`"):
            ComponentConformance.component()

    def test_a_spec_stands_for_a_component_that_is_not_installed(self):
        class Mine(ComponentConformance):
            spec = OptimizerSpec(name="mine", factory="json:loads", summary="Mine")

        assert Mine.component().name == "mine"
        Mine().test_spec_is_well_formed()
        Mine().test_every_dotted_path_can_be_imported()
        with pytest.raises(pytest.skip.Exception, match="from a spec"):
            Mine().test_listing_imports_nothing_heavy()

    def test_a_missing_requirement_skips_or_fails(self):
        class Mine(ComponentConformance):
            spec = OptimizerSpec(
                name="mine", factory="x:y", summary="Mine", requires=("no-such-abacus",)
            )

        class Strict(Mine):
            skip_if_missing = False

        with pytest.raises(pytest.skip.Exception, match="no-such-abacus: not installed"):
            Mine().test_every_dotted_path_can_be_imported()
        with pytest.raises(AssertionError, match="pip install"):
            Strict().test_every_dotted_path_can_be_imported()

    def test_public_names_are_there(self):
        for name in testing.__all__:
            assert getattr(testing, name) is not None


class TestInPytest:
    def test_a_subclass_in_a_test_file(self, tmp_path):
        body = (
            "from daybreak.testing import OptimizerConformance\n"
            "class TestGrid(OptimizerConformance):\n"
            "    component_name = 'grid'\n"
            "    skip_problems = frozenset({'ordinal', 'permutation', 'categorical'})\n"
        )
        done = kit(tmp_path, body)
        assert done.returncode == 0, done.stdout
        assert "[few-points]" not in done.stdout
        assert "[ordinal]" not in kit(tmp_path, body, "--collect-only").stdout

    def test_an_unknown_component_fails_and_does_not_break_the_collection(self, tmp_path):
        body = (
            "from daybreak.testing import TargetConformance\n"
            "class TestGone(TargetConformance):\n"
            "    component_name = 'no-such-target'\n"
            "def test_other(): pass\n"
        )
        done = kit(tmp_path, body)
        assert done.returncode == 1
        assert "there is no target 'no-such-target'" in done.stdout
        assert "1 passed" in done.stdout

    def test_zero_code_mode_with_an_unknown_plugin(self, tmp_path):
        done = kit(tmp_path, "", "--pyargs", "daybreak.testing", "--daybreak-plugin", "no-such")
        assert done.returncode == 1
        assert "no plugin 'no-such'; there are baco" in done.stdout

    def test_zero_code_mode_with_a_broken_plugin_says_why(self, tmp_path):
        write_distribution(
            tmp_path,
            "daybreak-broken",
            plugins={"broken": "broken_one"},
            modules={"broken_one.py": "raise ValueError('no wood')"},
        )
        done = kit(tmp_path, "", "--pyargs", "daybreak.testing", "--daybreak-plugin", "broken")
        assert done.returncode == 1
        assert "import-error" in done.stdout
        assert "no wood" in done.stdout

    def test_without_the_option_nothing_is_collected_and_nothing_loaded(self, tmp_path):
        body = (
            "import sys\n"
            "def test_light():\n"
            "    heavy = {'numpy', 'pydantic', 'duckdb', 'pandas', 'pyarrow', 'scipy'}\n"
            "    assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
            "    loaded = [name for name in sys.modules if name.startswith('daybreak.')]\n"
            "    assert sorted(loaded) == ['daybreak.testing', 'daybreak.testing.pytest_plugin']\n"
        )
        done = kit(tmp_path, body, "-p", "no:hypothesispytest", "-p", "no:benchmark")
        assert done.returncode == 0, done.stdout
        bare = kit(tmp_path, "", "--pyargs", "daybreak.testing")
        assert "failed" not in bare.stdout
