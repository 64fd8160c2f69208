"""The benchmarks: right values by independent means, published sizes of the spaces."""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybreak import UserError
from daybreak_hpvm.benchmarks import define, draw_inputs, names, sizes, solve
from daybreak_hpvm.ir import fingerprint, interpret, validate
from daybreak_hpvm.transforms import apply, directives, expand, expanded_size, transform

#: Of the example scenario that is published with BaCO: name to largest unroll factors or a switch.
PUBLISHED_EDGE = """
CG_c_c_LF CG_c_c_Nd_F_CMG_c CG_c_c_Sx_BuffIn CG_c_c_Sy_BuffIn
CG_c_c_UnrollL0:10 CG_c_c_UnrollL1:10 CG_c_c_UnrollL2:3 CG_c_c_UnrollL3:3
CMG_c_Nd_F_RZC_c_c CMG_c_UnrollL0:10
CZC_c_c_B_BuffIn CZC_c_c_LF CZC_c_c_Nd_F_RZC_c_c
CZC_c_c_UnrollL0:10 CZC_c_c_UnrollL1:10 CZC_c_c_UnrollL2:3 CZC_c_c_UnrollL3:3 CZC_c_c_UnrollL4:3
CZC_c_c_UnrollL5:3
GS_c_c_Gs_BuffIn GS_c_c_LF GS_c_c_Nd_F_CG_c_c GS_c_c_Nd_F_LE_c_c
GS_c_c_UnrollL0:10 GS_c_c_UnrollL1:10 GS_c_c_UnrollL2:7 GS_c_c_UnrollL3:7
LE_c_c_B_BuffIn LE_c_c_LF LE_c_c_Nd_F_CZC_c_c
LE_c_c_UnrollL0:10 LE_c_c_UnrollL1:10 LE_c_c_UnrollL2:3 LE_c_c_UnrollL3:3 LE_c_c_UnrollL4:3
LE_c_c_UnrollL5:3
RZC_c_c_LF RZC_c_c_UnrollL0:10 RZC_c_c_UnrollL1:10 TLP
"""
VALUES = {"10": (1, 2, 4, 5, 8, 10), "7": (1, 7), "3": (1, 3), "": (0, 1)}


@pytest.mark.parametrize(
    ("name", "parameters", "configurations"),
    [
        ("bfs", 4, 256),
        ("audio", 15, 2**7 * 3**8),
        ("preeuler", 7, 15_000),
        ("edge", 40, prod(len(VALUES[w.partition(":")[2]]) for w in PUBLISHED_EDGE.split())),
    ],
)
def test_spaces_have_the_published_kind_and_size(
    name: str, parameters: int, configurations: int
) -> None:
    space = define(name).space
    assert len(space.parameters) == parameters
    assert prod(len(p.values) for p in space.parameters) == configurations
    assert space.size == configurations
    # every parameter means something in the program
    assert {p.name for p in space.parameters} <= set(directives(define(name).program))


def test_840_000_is_no_product_of_15_ranges() -> None:
    factors, rest = 0, 840_000
    for p in (2, 3, 5, 7):
        while rest % p == 0:
            rest //= p
            factors += 1
    assert (rest, factors) == (1, 12)


def test_edge_has_the_published_names_and_values() -> None:
    found = {p.name: tuple(p.values) for p in define("edge").space.parameters}
    published = dict(word.partition(":")[::2] for word in PUBLISHED_EDGE.split())
    assert found == {name: VALUES[largest] for name, largest in published.items()}
    assert list(found) == sorted(found)


SMALL: dict[str, list[dict[str, int]]] = {
    "bfs": [{}, {"vertices": 5, "degree": 1, "levels": 2}, {"vertices": 37, "degree": 7}],
    "audio": [{}, {"sources": 1, "channels": 1, "samples": 3, "delay_line": 5}, {"channels": 25}],
    "preeuler": [{}, {"cells": 4}, {"cells": 7}],
    "edge": [{}, {"height": 4, "width": 9}, {"height": 11, "width": 5}],
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("name", "number"), [(n, k) for n in SMALL for k in range(3)])
def test_programs_agree_with_independent_solutions(name: str, number: int, seed: int) -> None:
    options = SMALL[name][number]
    inputs = draw_inputs(name, options, seed)
    found = interpret(define(name, options).program, inputs)
    assert {k: list(v) for k, v in found.items()} == solve(name, options, inputs)


@pytest.mark.parametrize("name", ["audio", "edge"])
def test_solutions_also_agree_on_any_input_of_the_right_types(name: str) -> None:
    """Images, masks and samples of any value (any graph and any gas would mean nothing)."""
    from random import Random

    program, random = define(name).program, Random(3)
    for _ in range(5):
        inputs: dict[str, Any] = {}
        for array in (program.array(n) for n in program.inputs):
            flat = [random.randint(array.type.low, array.type.high) for _ in range(array.size)]
            if name == "edge" and array.name == "Gs":
                flat = [value // 8 for value in flat]
            inputs[array.name] = _nested(flat, array.shape)
        found = interpret(program, inputs)
        assert {k: list(v) for k, v in found.items()} == solve(name, {}, inputs)


def _nested(flat: list[int], shape: tuple[int, ...]) -> Any:
    if len(shape) == 1:
        return flat
    step = len(flat) // shape[0]
    return [_nested(flat[k * step : (k + 1) * step], shape[1:]) for k in range(shape[0])]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("name", list(SMALL))
@given(data=st.data())
def test_every_configuration_keeps_the_value(name: str, data: Any) -> None:
    options = {"edge": {"height": 5, "width": 6}, "preeuler": {"cells": 6}}.get(name, {})
    definition = define(name, options)
    configuration = {
        p.name: data.draw(st.sampled_from(p.values), label=p.name)
        for p in definition.space.parameters
    }
    inputs = draw_inputs(name, options, 7)
    expected = {k: tuple(v) for k, v in solve(name, options, inputs).items()}
    made = transform(definition.program, configuration)
    validate(made)
    assert interpret(made, inputs) == expected
    if expanded_size(made) < 3000:
        straight = expand(made)
        validate(straight)
        assert interpret(straight, inputs) == expected


@pytest.mark.parametrize("name", list(SMALL))
def test_references_are_in_the_space_and_the_default_applies_nothing(name: str) -> None:
    definition = define(name)
    assert [r.name for r in definition.references] == ["default", "expert"]
    for reference in definition.references:
        assert definition.space.check(reference.configuration) is None
        assert apply(definition.program, reference.configuration).remarks == {}
    default = transform(definition.program, definition.references[0].configuration)
    assert fingerprint(default) == fingerprint(definition.program)


def test_every_published_kind_of_transformation_does_something() -> None:
    audio, edge = define("audio").program, define("edge").program
    fused = transform(audio, {"EN_Nd_F_SM": 1, "EN_LF": 1})
    assert [n.name for n in fused.nodes] == ["NM", "EN_SM"]
    assert [a.name for a in fused.nodes[1].locals] == ["heard"]  # what went between is a scalar
    assert transform(audio, {"TLP": 1}).streams == ("enc",)
    assert transform(audio, {"TLP": 1, "EN_norm_BuffIn": 1}).streams == ("norm", "enc")
    assert transform(edge, {"TLP": 1}).streams == ("Z",)
    merged = transform(edge, {"LE_c_c_LF": 1}).node("LE_c_c")
    assert "LE_k" not in str(merged.body)
    assert transform(define("preeuler").program, {"TLP": 1}).streams == ("flux",)


def test_inputs_are_equal_for_equal_seeds_and_differ_for_others() -> None:
    for name in names():
        assert draw_inputs(name, None, 1) == draw_inputs(name, {}, 1)
        assert draw_inputs(name, None, 1) != draw_inputs(name, None, 2)


def test_searches_reach_something() -> None:
    for seed in range(5):
        cost = solve("bfs", {}, draw_inputs("bfs", {}, seed))["cost"]
        assert sum(0 < c < 255 for c in cost) > 20


def test_edges_are_found_where_the_image_changes() -> None:
    image = [[200 if 6 <= y < 14 and 6 <= x < 14 else 20 for x in range(20)] for y in range(20)]
    inputs = {**draw_inputs("edge", {}, 0), "Im": image}
    found = interpret(define("edge").program, inputs)["E"]
    rows = ["".join("#" if found[20 * y + x] else "." for x in range(20)) for y in range(20)]
    assert "#" not in rows[0] + rows[1] + rows[10][8:12] + rows[19]
    assert "#" in rows[10][4:8]
    assert "#" in rows[10][12:16]


def test_the_fixed_point_solver_is_close_to_the_equations() -> None:
    """Rodinia's formulas in double precision, on the same inputs."""
    inputs = draw_inputs("preeuler", {}, 5)
    found = interpret(define("preeuler").program, inputs)["after"]
    one = 4096.0
    state = [[x / one for x in row] for row in inputs["state"]]
    flows, forces, waves = [], [], []
    for density, *momentum, energy in state:
        velocity = [m / density for m in momentum]
        speed2 = sum(v * v for v in velocity)
        force = 0.4 * (energy - 0.5 * density * speed2)
        forces.append(force)
        waves.append(sqrt(speed2) + sqrt(1.4 * force / density))
        rows = [momentum]
        rows += [
            [velocity[a] * momentum[r] + (force if a == r else 0) for a in range(3)]
            for r in range(3)
        ]
        rows.append([v * (energy + force) for v in velocity])
        flows.append(rows)
    worst = 0.0
    for i, row in enumerate(state):
        step = 0.5 / (sqrt(inputs["area"][i] / one) * waves[i])
        for v in range(5):
            flux = 0.0
            for j in range(4):
                normal = [x / one for x in inputs["normal"][i][j]]
                other, kind = inputs["neighbour"][i][j], inputs["kind"][i][j]
                if kind == 1:
                    flux += normal[v - 1] * forces[i] if 1 <= v <= 3 else 0
                    continue
                theirs = [x / one for x in inputs["far"][v]] if kind == 2 else flows[other][v]
                if kind == 0:
                    size = sqrt(sum(x * x for x in normal))
                    flux -= (
                        size * 0.2 * 0.5 * (waves[i] + waves[other]) * (row[v] - state[other][v])
                    )
                flux += sum(
                    0.5 * n * (a + b) for n, a, b in zip(normal, flows[i][v], theirs, strict=True)
                )
            worst = max(worst, abs(found[5 * i + v] / one - (row[v] + step * flux)))
    assert worst < 0.01


def test_the_fixed_point_encoder_is_close_to_the_formula() -> None:
    inputs = draw_inputs("audio", {}, 2)
    field = interpret(define("audio").program, inputs)["field"]
    worst = 0.0
    for t in range(16):
        for c in range(16):
            total = 0.0
            for k in range(4):
                signal = [x * inputs["volume"][k] / 2**15 for x in inputs["pcm"][k]]
                place, part = t + 16 - inputs["delay"][k], inputs["fraction"][k] / 256
                heard = signal[place] * (1 - part) + signal[place - 1] * part
                gain = inputs["gain"][0 if c == 0 else 1][k] / 2**15
                total += heard * gain * inputs["coef"][c][k] / 2**14
            worst = max(worst, abs(total - field[16 * t + c]))
    assert worst < 4 * 5  # five roundings down, each by less than one, in four sources


def test_bad_names_and_sizes_are_the_users_fault() -> None:
    with pytest.raises(UserError, match="did you mean: edge"):
        define("edges")
    with pytest.raises(UserError, match=r"options\.hight.*\n.*\n.*did you mean: height"):
        define("edge", {"hight": 4})
    for bad in (3, 513, "20", 20.5, True):
        with pytest.raises(UserError, match="an integer from 4 to 512"):
            define("edge", {"height": bad})
    assert define("edge", {"height": None}).sizes == {"height": 20, "width": 20}
    assert define("bfs", {"degree": 2}).instance == "64x2x8"
    assert [size.name for size in sizes("audio")] == [
        "sources",
        "channels",
        "samples",
        "delay_line",
    ]
