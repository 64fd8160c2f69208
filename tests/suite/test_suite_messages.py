"""The message for every bad suite, word for word: they are what a user meets first."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest
from suite_fakes import fake_registry

from daybreak.errors import SuiteError
from daybreak.suite import load_suite, plan_suite

GOOD = """\
suite: 1
name: mine
benchmarks:
  - fake/spmm: {matrix: airfoil, columns: 64}
optimizers:
  - random
  - baco: {preset: paper}
seeds: 3
budget: {evaluations: 20}
targets: {expert: 1.0}
protocol: {repeats: {min: 5, max: 50, ci: 0.02}, warmup: auto, timeout: 10s}
"""


def message(path: Path, content: str | bytes) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SuiteError) as caught:
        plan_suite(load_suite(path), fake_registry())
    return str(caught.value).replace(str(path.parent) + os.sep, "")


def test_the_suite_that_the_cases_spoil_is_good(tmp_path):
    (tmp_path / "s.yaml").write_text(GOOD)
    assert len(plan_suite(load_suite(tmp_path / "s.yaml"), fake_registry()).studies) == 6


CASES = {
    "unknown optimizer": (
        ("- random", "- randon"),
        """\
        s.yaml:6:5: optimizers[0]: there is no optimizer 'randon'
          expected: one of agent, baco, numeric, random
          did you mean: random
          remedy: install the plugin that brings it; see `daybreak optimizers list`""",
    ),
    "unknown target": (
        ("fake/spmm", "fkae/spmm"),
        """\
        s.yaml:4:5: benchmarks[0].fkae/spmm: there is no target 'fkae'
          expected: one of fake
          did you mean: fake
          remedy: install the plugin that brings it; see `daybreak targets list`""",
    ),
    "unknown benchmark": (
        ("fake/spmm", "fake/bond"),
        """\
        s.yaml:4:5: benchmarks[0].fake/bond: unknown benchmark 'fake/bond'
          expected: one of fake/bound, fake/pareto, fake/program, fake/spmm, fake/spmv
          did you mean: fake/bound
          remedy: see `daybreak benchmarks list`""",
    ),
    "no benchmark": (
        ("fake/spmm", "spmm"),
        """\
        s.yaml:4:5: benchmarks[0].spmm: 'spmm' names no benchmark
          expected: TARGET/BENCHMARK, e.g. taco/spmm""",
    ),
    "misspelt key": (
        ("budget:", "bugdet:"),
        """\
        s.yaml:1:1: 'budget' is missing
          expected: a bound on every study, e.g. 'budget: {evaluations: 20}'
        s.yaml:9:1: bugdet: unknown key 'bugdet'
          expected: one of batch, benchmarks, budget, defaults, description, include, limits, name, optimizers, price, protocol, requires_plugins, seeds, suite, targets
          did you mean: budget""",
    ),
    "misspelt key inside": (
        ("warmup: auto", "warm_up: auto"),
        """\
        s.yaml:11:50: protocol.warm_up: unknown key 'warm_up'
          expected: one of flush_cache, hopeless, interleave, repeats, stop, timeout, warmup
          did you mean: warmup""",
    ),
    "misspelt option": (
        ("columns: 64", "colums: 64"),
        """\
        s.yaml:4:34: benchmarks[0].fake/spmm.colums: unknown key 'colums'
          expected: one of columns, matrix, mode, sizes
          did you mean: columns""",
    ),
    "wrong type of an option": (
        ("columns: 64", "columns: many"),
        """\
        s.yaml:4:34: benchmarks[0].fake/spmm.columns: wrong type: text 'many'
          expected: a whole number""",
    ),
    "an option out of range": (
        ("columns: 64", "columns: 0"),
        """\
        s.yaml:4:34: benchmarks[0].fake/spmm.columns: wrong value: the number 0
          expected: a number of at least 1""",
    ),
    "a wrong item of an option": (
        ("columns: 64", "sizes: [1, two]"),
        """\
        s.yaml:4:45: benchmarks[0].fake/spmm.sizes[1]: wrong type: text 'two'
          expected: a whole number""",
    ),
    "option of an optimizer": (
        ("preset: paper", "preset: papper"),
        """\
        s.yaml:7:12: optimizers[1].baco.preset: wrong value: text 'papper'
          expected: one of 'default' or 'paper'
          did you mean: paper""",
    ),
    "nested option of an optimizer": (
        ("preset: paper", "prior: {naer: expert}"),
        """\
        s.yaml:7:12: optimizers[1].baco.prior: 'near' is missing
        s.yaml:7:20: optimizers[1].baco.prior.naer: unknown key 'naer'
          expected: one of near, strength
          did you mean: near""",
    ),
    "an option that may be of two types": (
        ("preset: paper", "samples: [1]"),
        """\
        s.yaml:7:12: optimizers[1].baco.samples: wrong type: a list
          expected: a whole number or text""",
    ),
    "options of an optimizer without any": (
        ("- random", "- random: {preset: x}"),
        """\
        s.yaml:6:14: optimizers[0].random.preset: unknown key 'preset'""",
    ),
    "an option beside the name": (
        ("fake/spmm: {matrix: airfoil, columns: 64}", "fake/spmm:\n    columns: 64"),
        """\
        s.yaml:5:5: benchmarks[0].columns: unknown key beside benchmark 'fake/spmm': 'columns'
          expected: one of as, budget, each, limits, price, protocol, targets
          remedy: indent it deeper than 'fake/spmm:' if it is an option, or begin a new item with '- ' if it is another benchmark""",
    ),
    "a dash forgotten": (
        ("  - baco:", "    baco:"),
        """\
        s.yaml:7:9: is not valid YAML: mapping values are not allowed here""",
    ),
    "an unreadable matrix": (
        ("matrix: airfoil", "matrix: missing"),
        """\
        s.yaml:4:17: benchmarks[0].fake/spmm.matrix: cannot read matrix 'missing'
          remedy: daybreak data fetch missing""",
    ),
    "wrong type": (
        ("seeds: 3", "seeds: three"),
        """\
        s.yaml:8:1: seeds: wrong type: text 'three'
          expected: a number of seeds, or a list of seeds""",
    ),
    "a truth value for a number": (
        ("evaluations: 20", "evaluations: true"),
        """\
        s.yaml:9:10: budget.evaluations: wrong type: true
          expected: a whole number""",
    ),
    "a seed twice": (
        ("seeds: 3", "seeds: [1, 2, 1]"),
        """\
        s.yaml:8:1: seeds: seed 1 appears twice
          expected: each seed once""",
    ),
    "a bad seed": (
        ("seeds: 3", "seeds: [1, -2]"),
        """\
        s.yaml:8:12: seeds[1]: wrong value: the number -2
          expected: a number of at least 0""",
    ),
    "no seeds": (
        ("seeds: 3", "seeds: []"),
        """\
        s.yaml:8:1: seeds: is empty
          expected: a number of seeds, or a list of seeds""",
    ),
    "empty matrix": (
        ("{matrix: airfoil, columns: 64}", "\n    each: {columns: []}"),
        """\
        s.yaml:5:12: benchmarks[0].each.columns: the matrix is empty: 'columns' has no values
          expected: at least one value""",
    ),
    "a matrix of no list": (
        ("{matrix: airfoil, columns: 64}", "\n    each: {columns: 64}"),
        """\
        s.yaml:5:12: benchmarks[0].each.columns: wrong type: the number 64
          expected: a list of values for 'columns'""",
    ),
    "a wrong value in a matrix": (
        ("{matrix: airfoil, columns: 64}", "\n    each: {columns: [64, wide]}"),
        """\
        s.yaml:5:26: benchmarks[0].each.columns[1]: wrong type: text 'wide'
          expected: a whole number""",
    ),
    "no benchmarks": (
        ("\n  - fake/spmm: {matrix: airfoil, columns: 64}", " []"),
        """\
        s.yaml:3:1: benchmarks: is empty
          expected: a list; each item is a name such as taco/spmm, or the name with its options: 'taco/spmm: {columns: 64}'""",
    ),
    "benchmarks that are no list": (
        ("\n  - fake/spmm: {matrix: airfoil, columns: 64}", " fake/spmm"),
        """\
        s.yaml:3:1: benchmarks: wrong type: text 'fake/spmm'
          expected: a list; each item is a name such as taco/spmm, or the name with its options: 'taco/spmm: {columns: 64}'""",
    ),
    "nothing after optimizers": (
        ("\n  - random\n  - baco: {preset: paper}", ""),
        """\
        s.yaml:5:1: optimizers: is empty""",
    ),
    "no name": (
        ("name: mine\n", ""),
        """\
        s.yaml:1:1: 'name' is missing
          expected: short name: letters, digits, '.', '_' and '-'""",
    ),
    "a name that is no name": (
        ("name: mine", "name: my suite"),
        """\
        s.yaml:2:1: name: wrong value: text 'my suite'
          expected: 1 to 80 letters, digits and '.', '_', '-', beginning with a letter or digit""",
    ),
    "no budget": (
        ("budget: {evaluations: 20}\n", ""),
        """\
        s.yaml:1:1: 'budget' is missing
          expected: a bound on every study, e.g. 'budget: {evaluations: 20}'""",
    ),
    "an empty budget": (
        ("{evaluations: 20}", "{evaluations: null}"),
        """\
        s.yaml:9:1: budget: the budget bounds nothing
          expected: evaluations, seconds, dollars or tokens""",
    ),
    "a budget of nothing": (
        ("{evaluations: 20}", "{evaluations: 0}"),
        """\
        s.yaml:9:10: budget.evaluations: wrong value: the number 0
          expected: a number of at least 1""",
    ),
    "a budget without a clock": (
        ("{evaluations: 20}", "20"),
        """\
        s.yaml:9:1: budget: wrong type: the number 20
          expected: a mapping (key: value)""",
    ),
    "a budget that nobody spends": (
        ("{evaluations: 20}", "{dollars: 3}"),
        """\
        s.yaml:6:5: optimizers[0]: 'random' spends no dollars or tokens, so its study of fake/spmm:airfoil-k64 would not end
          expected: a budget with evaluations or seconds too
        s.yaml:7:5: optimizers[1].baco: 'baco' spends no dollars or tokens, so its study of fake/spmm:airfoil-k64 would not end
          expected: a budget with evaluations or seconds too""",
    ),
    "an unknown unit": (
        ("timeout: 10s", "timeout: 10m"),
        """\
        s.yaml:11:64: protocol.timeout: not a duration: text '10m'
          expected: a duration such as 500ms, 30s, 2min, 1h30min; a bare number is in seconds""",
    ),
    "repeats the wrong way round": (
        ("{min: 5, max: 50, ci: 0.02}", "{min: 50, max: 5}"),
        """\
        s.yaml:11:12: protocol.repeats: min (50) is larger than max (5)
          expected: min <= max""",
    ),
    "an unknown reference": (
        ("{expert: 1.0}", "{exprt: 1.0}"),
        """\
        s.yaml:10:11: targets.exprt: unknown reference of fake/spmm:airfoil-k64 'exprt'
          expected: one of default, expert
          did you mean: expert
          remedy: for an absolute threshold write 'exprt: {value: NUMBER, unit: UNIT}'; to leave this benchmark out, 'targets: {exprt: null}' beside it""",
    ),
    "an unknown metric": (
        ("{expert: 1.0}", "{good: {metric: acuracy, value: 0.9}}"),
        """\
        s.yaml:10:11: targets.good: unknown metric of fake/spmm:airfoil-k64 'acuracy'
          expected: one of accuracy, time
          did you mean: accuracy""",
    ),
    "a unit that does not fit": (
        ("{expert: 1.0}", "{good: {metric: time, value: 3, unit: GiB}}"),
        """\
        s.yaml:10:11: targets.good: unit 'GiB' does not convert to 'ms'
          expected: a value in 'ms'""",
    ),
    "a threshold both ways": (
        ("{expert: 1.0}", "{good: {relative_to: expert, value: 3, unit: ms}}"),
        """\
        s.yaml:10:11: targets.good: 'unit' and 'relative_to' exclude each other
          expected: one of the two""",
    ),
    "infeasible reference": (
        ("fake/spmm: {matrix: airfoil, columns: 64}", "fake/bound: {largest: 4}"),
        """\
        s.yaml:4:5: benchmarks[0].fake/bound: reference 'expert' of fake/bound is infeasible: `chunk <= 4` does not hold for chunk = 8
          expected: references that satisfy the known constraints
          remedy: change the benchmark's options, or tell the authors of plugin 'local'""",
    ),
    "an optimizer that takes no permutations": (
        ("- random", "- numeric"),
        """\
        s.yaml:6:5: optimizers[0]: 'numeric' takes no permutation parameters, but fake/spmm:airfoil-k64 has: order
          expected: parameters of type ordinal
          remedy: leave it to others: 'only: PATTERN' beside 'numeric', or remove one of the two""",
    ),
    "too many objectives": (
        ("fake/spmm: {matrix: airfoil, columns: 64}", "fake/pareto"),
        """\
        s.yaml:7:5: optimizers[1].baco: 'baco' takes 1 objective, but fake/pareto has 2: time, area
          expected: a benchmark with at most 1
          remedy: leave it to others: 'only: PATTERN' beside 'baco', or remove one of the two""",
    ),
    "a benchmark twice": (
        (
            "  - fake/spmm: {matrix: airfoil, columns: 64}",
            "  - fake/spmm\n  - fake/spmm: {columns: 64}",
        ),
        """\
        s.yaml:5:5: benchmarks[1].fake/spmm: benchmark 'fake/spmm:airfoil-k64' is listed twice: here and on line 4
          expected: each benchmark once, or different options, or a name of its own
          remedy: remove one, or name it with 'as: NAME'""",
    ),
    "a label twice": (
        ("- random\n  - baco: {preset: paper}", "- random: {}\n    as: a\n  - baco: {}\n    as: a"),
        """\
        s.yaml:8:5: optimizers[1].baco: optimizer 'a' is listed twice: here and on line 6
          expected: each optimizer once, or different options, or a name of its own
          remedy: remove one, or name it with 'as: NAME'""",
    ),
    "a key twice": (
        ("seeds: 3", "seeds: 3\nname: again"),
        """\
        s.yaml:9:1: name: key 'name' appears twice: here and on line 2
          expected: each key once""",
    ),
    "an option twice": (
        ("columns: 64", "columns: 64, columns: 65"),
        """\
        s.yaml:4:47: benchmarks[0].fake/spmm.columns: key 'columns' appears twice: here and on line 4
          expected: each key once""",
    ),
    "another version": (
        ("suite: 1", "suite: 2"),
        """\
        s.yaml:1:1: suite: the suite has format 2; Daybreak 0.1.0 reads format 1
          expected: suite: 1
          remedy: install a newer daybreak""",
    ),
    "a version that is none": (
        ("suite: 1", "suite: one"),
        """\
        s.yaml:1:1: suite: wrong type: text 'one'
          expected: the version of the format: 1""",
    ),
    "no version": (
        ("suite: 1\n", ""),
        """\
        s.yaml:1:1: 'suite' is missing: the file does not say which format it has
          expected: the line 'suite: 1'
          remedy: put 'suite: 1' at the top""",
    ),
    "a plugin that is not installed": (
        ("seeds: 3", "requires_plugins: ['surely-not-there>=1.2']"),
        """\
        s.yaml:8:20: requires_plugins[0]: required plugin 'surely-not-there>=1.2': not installed
          remedy: pip install 'surely-not-there>=1.2'""",
    ),
    "a plugin that is too old": (
        ("seeds: 3", "requires_plugins: [pydantic>=999]"),
        """\
        s.yaml:8:20: requires_plugins[0]: required plugin 'pydantic>=999': version PYDANTIC is installed
          remedy: pip install 'pydantic>=999'""",
    ),
    "a requirement that is none": (
        ("seeds: 3", "requires_plugins: ['not a requirement']"),
        """\
        s.yaml:8:1: requires_plugins: 'not a requirement' is no requirement
          expected: a distribution with an optional version, e.g. 'daybreak-mine>=1.2'""",
    ),
    "a pattern that fits nothing": (
        ("baco: {preset: paper}", "baco: {preset: paper}\n    only: taco/*"),
        """\
        s.yaml:8:11: optimizers[1].only: 'taco/*' fits no benchmark of this suite
          expected: a pattern such as taco/*; there are fake/spmm:airfoil-k64""",
    ),
    "a number for a key": (
        ("columns: 64", "64: columns"),
        """\
        s.yaml:4:34: benchmarks[0].fake/spmm: a key must be text, not 64
          expected: text; quote it: '64'""",
    ),
    "a tab": (
        ("  - random", "\t- random"),
        """\
        s.yaml:6:1: is not valid YAML: a tab indents this line
          remedy: indent with spaces""",
    ),
    "a bracket that is never closed": (
        ("{evaluations: 20}", "{evaluations: 20"),
        """\
        s.yaml:10:8: is not valid YAML: expected ',' or '}', but got ':' (while parsing a flow mapping that began on line 9)""",
    ),
    "an anchor that is not there": (
        ("{evaluations: 20}", "*budget"),
        """\
        s.yaml:9:9: is not valid YAML: found undefined alias 'budget'""",
    ),
    "a tag": (
        ("{evaluations: 20}", "!!python/object:os.system {evaluations: 20}"),
        """\
        s.yaml:9:9: budget: the tag 'tag:yaml.org,2002:python/object:os.system' is not allowed
          expected: plain YAML""",
    ),
    "two documents": (
        ("seeds: 3", "---\nseeds: 3"),
        """\
        s.yaml:8:1: holds more than one YAML document
          expected: one suite in a file
          remedy: split the file at '---'""",
    ),
    "a control character": (
        ("name: mine", "name: mi\x07ne"),
        """\
        s.yaml:2:9: holds the control character U+0007
          expected: printable text
          remedy: remove the character""",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_message(case, tmp_path):
    (old, new), expected = CASES[case]
    assert old in GOOD
    import pydantic

    text = textwrap.dedent(expected).replace("PYDANTIC", pydantic.VERSION)
    assert message(tmp_path / "s.yaml", GOOD.replace(old, new)) == text


FILES = {
    "empty": (b"", "s.yaml:1:1: is empty\n  expected: a suite, which begins with 'suite: 1'"),
    "comments only": (
        b"# nothing\n",
        "s.yaml:1:1: is empty\n  expected: a suite, which begins with 'suite: 1'",
    ),
    "a list": (
        b"- 1\n",
        "s.yaml:1:1: holds a list\n  expected: a mapping (key: value) that begins with 'suite: 1'",
    ),
    "a word": (
        b"hello\n",
        "s.yaml:1:1: holds a single value\n"
        "  expected: a mapping (key: value) that begins with 'suite: 1'",
    ),
    "not UTF-8": (
        b"suite: 1\nname: caf\xe9\n",
        "s.yaml:2:10: is not UTF-8 text: byte 0xe9\n"
        "  expected: a text file in UTF-8\n  remedy: save the file with the encoding UTF-8",
    ),
    "deep": (b"[" * 5000, "s.yaml:1:1: is nested too deeply\n  expected: a suite file"),
    "aliases that explode": (
        b"suite: 1\nx-a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + b"".join(
            b"x-%c: &%c [%s]\n" % (c + 1, c + 1, b", ".join([b"*%c" % c] * 9))
            for c in range(ord("a"), ord("a") + 9)
        ),
        "aliases make this file too large",
    ),
    "an alias of itself": (b"suite: 1\nx-a: &a [*a]\n", "an alias leads back into its own anchor"),
}


@pytest.mark.parametrize("case", FILES)
def test_message_about_a_file(case, tmp_path):
    content, expected = FILES[case]
    found = message(tmp_path / "s.yaml", content)
    assert found == expected if expected.startswith("s.yaml") else expected in found


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path):
    (tmp_path / "s.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_suite(tmp_path / "s.yaml").name == "mine"


def test_a_folder_is_no_suite(tmp_path):
    with pytest.raises(SuiteError, match="is a folder"):
        load_suite(tmp_path)


def test_a_device_is_no_suite():
    with pytest.raises(SuiteError, match="is no regular file"):
        load_suite(Path(os.devnull))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(GOOD)
    path.chmod(0)
    with pytest.raises(SuiteError, match="cannot be read: Permission denied"):
        load_suite(path)


def test_every_fault_of_components_is_said_in_one_go(tmp_path):
    text = GOOD.replace("columns: 64", "colums: 64").replace("- random", "- randon")
    text = text.replace("preset: paper", "preset: 3")
    found = message(tmp_path / "s.yaml", text)
    assert [line.split(": ")[0] for line in found.splitlines() if line.startswith("s.yaml")] == [
        "s.yaml:4:34",
        "s.yaml:6:5",
        "s.yaml:7:12",
    ]
