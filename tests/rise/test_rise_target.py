"""The target as a whole: the conformance kit, and what the command line prints."""

from __future__ import annotations

from typing import ClassVar

import pytest

from daybreak import FailureKind, UserError
from daybreak.testing import TargetConformance
from daybreak_rise.__main__ import main
from daybreak_rise.target import RiseTarget


class TestConformance(TargetConformance):
    """Two benchmarks: one in C, one for an OpenCL device with faults of both kinds."""

    component_name = "rise"
    benchmarks: ClassVar = {"mm-cpu": {"n": 32}, "mm-gpu": {"n": 16}}
    configurations: ClassVar = 1


@pytest.mark.slow
class TestAllConform(TargetConformance):
    """All seven."""

    component_name = "rise"


def test_faults_are_of_both_kinds():
    target = RiseTarget()
    kinds = {kind for one in target.benchmarks() for kind, _ in target.faults(one)}
    assert kinds == {FailureKind.BUILD, FailureKind.RESOURCE}


def test_an_unknown_benchmark_is_told_with_the_nearest():
    with pytest.raises(UserError, match="mm-cpu") as caught:
        RiseTarget().define("mm-cpus", {})
    assert caught.value.nearest == "mm-cpu"


def test_show_prints_program_rewriting_and_kernel(capsys):
    assert main(["show", "scal", "--option", "n=4096"]) == 0
    text = capsys.readouterr().out
    for part in ("split_join(512)", "vectorise(2)", "mapWorkGroup[0]", "float2", "get_group_id"):
        assert part in text


def test_show_takes_a_configuration_and_a_part(capsys):
    given = ["--configuration", '{"sp0": 512, "sp1": 256, "stride": 2}', "--only", "lowered"]
    assert main(["show", "asum", "--option", "n=1024", *given]) == 0
    text = capsys.readouterr().out
    assert "split[512]" in text
    assert "reorderWithStride[2]" in text
    assert "kernel" not in text
    assert main(["show", "harris", "--only", "steps"]) == 0
    steps = capsys.readouterr().out
    for word in ("slide_before_slide", "map_interchange", "stored(local)", "vectorise(4)"):
        assert word in steps
    assert main(["show", "kmeans", "--language", "cuda", "--only", "kernel"]) == 0
    assert "__global__" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scall"], "did you mean: scal"),
        (["scal", "--option", "m=3"], "no size 'm'"),
        (["scal", "--option", "n=x"], "no size"),
        (["scal", "--option", "n"], "expected: n=NUMBER"),
        (["scal", "--option", "n=-4"], "'-4' is no size"),
        (["scal", "--option", "n=\u00b2"], "no size"),
        (["scal", "--option", f"n={'9' * 5000}"], "no size"),
        (["scal", "--option", "n=999999999999"], "--option n: "),
        (["scal", "--option", "n=1000"], "1000 is no power of two"),
        (["kmeans", "--option", "points=268435456", "--option", "features=4096"], "more elements"),
        (["scal", "--reference", "experts"], "did you mean: expert"),
        (["scal", "--configuration", "{"], "no JSON"),
        (["scal", "--configuration", "[]"], "no object"),
        (["scal", "--configuration", "[" * 100_000], "no JSON"),
        (["scal", "--configuration", '{"s2": 1}'], "no parameter 's2'"),
        (["scal", "--configuration", '{"vec": 0}'], "--configuration vec: 0 is no value"),
        (["scal", "--configuration", '{"vec": "two"}'], '"two" is no value'),
        (["scal", "--configuration", '{"vec": 2.0}'], "expected: a whole number"),
        (["scal", "--configuration", '{"vec": null}'], "null is no value"),
        (["scal", "--configuration", '{"vec": true}'], "true is no value"),
        (["scal", "--configuration", '{"vec": 1e400}'], "Infinity is no value"),
        (["mm-cpu", "--configuration", '{"reorder": [0, 0]}'], "reorder"),
        (["mm-cpu", "--configuration", '{"reorder": 3}'], "reorder"),
        (["mm-gpu", "--configuration", '{"v5": 12}'], "12 does not divide 1024"),
    ],
)
def test_show_says_what_is_wrong(capsys, words, said):
    assert main(["show", *words]) == 2
    assert said in capsys.readouterr().err
