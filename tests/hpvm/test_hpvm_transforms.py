"""Transformations keep the value, on random programs; and do what they say, on small ones."""

from __future__ import annotations

from typing import Any

import pytest
from hpvm_programs import configurations, inputs_of, programs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybreak_hpvm.ir import (
    Load,
    Loop,
    Program,
    ProgramBuilder,
    fingerprint,
    interpret,
    s,
    show,
    u,
    validate,
)
from daybreak_hpvm.ir.walk import loops
from daybreak_hpvm.transforms import (
    IllegalTransformationError,
    UnknownDirectiveError,
    apply,
    buffer_input,
    can_block,
    directives,
    expand,
    expanded_size,
    fuse_loops,
    fuse_nodes,
    parallel,
    parallel_tasks,
    streamable,
    transform,
    unroll,
)

relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(st.data(), st.integers(0, 1000))
def test_any_configuration_keeps_the_value_of_a_random_program(data: Any, seed: int) -> None:
    program = data.draw(programs())
    configuration = data.draw(configurations(program))
    inputs = inputs_of(program, seed)
    expected = interpret(program, inputs)
    applied = apply(program, configuration)
    validate(applied.program)
    assert interpret(applied.program, inputs) == expected
    straight = expand(applied.program)
    validate(straight)
    assert interpret(straight, inputs) == expected
    assert all(loop.unroll == 1 for node in straight.nodes for loop in loops(node.body))
    assert set(applied.remarks) <= set(configuration)
    again = transform(program, dict(reversed(configuration.items())))
    assert fingerprint(again) == fingerprint(applied.program)


@relaxed
@given(st.data())
def test_streams_are_touched_in_order_and_never_block(data: Any) -> None:
    program = data.draw(programs())
    flags = {name: 1 for name, d in directives(program).items() if d.kind == "buffer"}
    factors = {
        name: data.draw(st.integers(1, 3))
        for name, d in directives(program).items()
        if d.kind == "unroll"
    }
    made = expand(transform(program, {**flags, **factors, "TLP": 1}))
    traces = _traces(made)
    for array in made.streams:
        for what in ("load", "store"):
            places = [p for t in traces.values() for w, a, p in t if (w, a) == (what, array)]
            assert places == list(range(made.array(array).size))
    assert _finishes(made, traces)


@st.composite
def _graphs(draw: st.DrawFn) -> Program:
    """Draw up to five nodes that read one input after the other and write one output after it."""
    count = draw(st.integers(2, 5))
    pairs = [(a, b) for b in range(count) for a in range(b)]
    edges = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=7))
    p = ProgramBuilder("graph")
    x = p.input("x", u(4), (3,))
    arrays = [p.array(f"e{k}", u(4), (3,)) for k in range(len(edges))]
    for number in range(count):
        steps = [(k, False) for k, (_, b) in enumerate(edges) if b == number]
        steps += [(k, True) for k, (a, _) in enumerate(edges) if a == number]
        out = p.output(f"y{number}", u(4), (3,))
        with p.node(f"N{number}") as n:
            with n.loop(f"l{number}", 3) as i:
                out[i] = x[i]
            for k, store in draw(st.permutations(steps)):
                if store:
                    with n.loop(f"s{k}", 3) as i:
                        arrays[k][i] = i
                else:
                    kept = n.local(f"kept{k}", u(4), (3,))
                    with n.loop(f"r{k}", 3) as i:
                        kept[i] = arrays[k][i]
    return p.build()


def _traces(program: Program) -> dict[str, list[tuple[str, str, int]]]:
    traces: dict[str, list[tuple[str, str, int]]] = {node.name: [] for node in program.nodes}

    def observe(node: str, what: str, array: str, place: int) -> None:
        if array in program.streams:
            traces[node].append((what, array, place))

    interpret(program, inputs_of(program, 0), observe=observe)
    return traces


@relaxed
@given(_graphs())
def test_nodes_of_any_graph_never_wait_in_a_ring(program: Program) -> None:
    made = parallel_tasks(program)
    assert _finishes(made, _traces(made))
    # none was left out that could do no harm by the rule that the documentation states
    for array in program.arrays:
        if array.name not in made.streams and not streamable(program, array.name):
            assert can_block(program, (*made.streams, array.name))


def _finishes(program: Program, traces: dict[str, list[tuple[str, str, int]]]) -> bool:
    """Run the nodes' stream accesses with queues of one element; False if they get stuck."""
    done = dict.fromkeys(traces, 0)
    level = dict.fromkeys(program.streams, 0)
    finished: set[str] = set()
    moving = True
    while moving:
        moving = False
        for node in program.nodes:
            waits = [
                e.source
                for e in program.edges
                if e.target == node.name and e.source and e.array not in program.streams
            ]
            if node.name in finished or any(w not in finished for w in waits):
                continue
            trace = traces[node.name]
            while done[node.name] < len(trace):
                what, array, _ = trace[done[node.name]]
                if level[array] == (1 if what == "store" else 0):
                    break
                level[array] += 1 if what == "store" else -1
                done[node.name] += 1
                moving = True
            if done[node.name] == len(trace):
                finished.add(node.name)
                moving = True
    return len(finished) == len(program.nodes)


def _sum_of_rows() -> Program:
    p = ProgramBuilder("rows")
    x, y = p.input("x", s(8), (4, 5)), p.output("y", s(12), (4,))
    with p.node("sum") as n, n.loop("i", 4) as i:
        acc = n.scalar("acc", s(12), 0)
        with n.loop("j", 5) as j:
            n.reduce(acc, "add", x[i, j])
        y[i] = acc
    return p.build()


def test_unrolling_an_inner_loop_leaves_its_remainder_to_a_second_loop() -> None:
    made = expand(unroll(_sum_of_rows(), "sum", "j", 2))
    assert show(made.nodes[0]).splitlines()[1:] == [
        "  scalar acc: s12",
        "  for i in 0..4:",
        "    acc = 0",
        "    for j in 0..3 step 2:",
        "      acc add= x[i, j]",
        "      acc add= x[i, (j + 1)]",
        "    acc add= x[i, 4]",
        "    y[i] = acc",
    ]


def test_unrolling_an_outer_loop_jams_its_inner_loop_with_one_register_a_lane() -> None:
    made = expand(unroll(_sum_of_rows(), "sum", "i", 4))
    assert show(made.nodes[0]).splitlines()[1:] == [
        "  scalar acc: s12",
        "  scalar acc_1: s12",
        "  scalar acc_2: s12",
        "  scalar acc_3: s12",
        "  acc_1 = 0",
        "  acc_2 = 0",
        "  acc_3 = 0",
        "  acc = 0",
        "  for j in 0..5:",
        "    acc_1 add= x[0, j]",
        "    acc_2 add= x[1, j]",
        "    acc_3 add= x[2, j]",
        "    acc add= x[3, j]",
        "  y[0] = acc_1",
        "  y[1] = acc_2",
        "  y[2] = acc_3",
        "  y[3] = acc",
    ]


def test_a_factor_beyond_the_trip_count_unrolls_completely_and_equals_it() -> None:
    program = _sum_of_rows()
    assert fingerprint(unroll(program, "sum", "j", 5)) == fingerprint(
        unroll(program, "sum", "j", 99)
    )


def test_dependent_iterations_are_copied_one_after_the_other() -> None:
    p = ProgramBuilder("scan")
    x, y = p.input("x", u(4), (6,)), p.output("y", u(8), (6,))
    with p.node("n") as n:
        run = n.scalar("run", u(8), 0)
        with n.loop("i", 6) as i:
            n.set(run, run * 3 + x[i])
            y[i] = run
    program = p.build()
    verdict = parallel(next(loops(program.nodes[0].body)))
    assert not verdict.legal
    assert "'run'" in verdict.reason
    made = expand(unroll(program, "n", "i", 2))
    assert show(made.nodes[0]).splitlines()[-5:] == [
        "  for i in 0..5 step 2:",
        "    run = ((run * 3) + x[i])",
        "    y[i] = run",
        "    run = ((run * 3) + x[(i + 1)])",
        "    y[(i + 1)] = run",
    ]


@pytest.mark.parametrize(
    ("store", "legal"),
    [("i", True), ("2i", True), ("i+1", True), ("x[i]", False), ("i//2", False), ("0", False)],
)
def test_iterations_are_side_by_side_only_where_they_store_apart(store: str, legal: bool) -> None:
    p = ProgramBuilder("stores")
    x, y = p.input("x", u(3), (8,)), p.output("y", u(8), (16,))
    with p.node("n") as n, n.loop("i", 8) as i:
        places = {"i": i, "2i": i * 2, "i+1": i + 1, "x[i]": x[i], "i//2": i >> 1, "0": i * 0}
        y[places[store]] = x[i]
    program = p.build()
    assert parallel(next(loops(program.nodes[0].body))).legal is legal


def test_a_loop_that_reads_what_another_iteration_writes_is_not_parallel() -> None:
    p = ProgramBuilder("shift")
    x, y = p.input("x", u(3), (8,)), p.output("y", u(8), (8,))
    with p.node("n") as n:
        t = n.local("t", u(8), (9,))
        t[0] = 1
        with n.loop("i", 8) as i:
            t[i + 1] = t[i] + x[i]
        with n.loop("j", 8) as j:
            y[j] = t[j]
    program = p.build()
    first, second = loops(program.nodes[0].body)
    assert not parallel(first).legal
    assert parallel(second).legal
    with pytest.raises(IllegalTransformationError, match="may read elements of 't'"):
        fuse_loops(program, "n")


def _pipeline(read: str) -> Program:
    """Return two nodes; the second reads the first's output in some order."""
    p = ProgramBuilder("two")
    x, t, y = p.input("x", u(8), (6,)), p.array("t", u(9), (6,)), p.output("y", u(12), (6,))
    with p.node("A") as n, n.loop("i", 6) as i:
        t[i] = x[i] + 1
    with p.node("B") as n, n.loop("j", 6) as j:
        y[j] = t[{"same": j, "reversed": 5 - j, "first": j * 0}[read]] * 2
    return p.build()


def test_fused_nodes_with_fused_loops_hand_on_a_scalar() -> None:
    made = fuse_loops(fuse_nodes(_pipeline("same"), "A", "B"), "A_B")
    assert show(made).splitlines() == [
        "program two",
        "input x: u8[6]",
        "array output y: u12[6]",
        "inputs x",
        "outputs y",
        "",
        "node A_B(x) -> y:",
        "  scalar t_kept_value: u9",
        "  for i in 0..6:",
        "    t_kept_value = (x[i] + 1)",
        "    y[i] = (t_kept_value * 2)",
    ]


@pytest.mark.parametrize("read", ["reversed", "first"])
def test_loops_of_another_order_stay_apart(read: str) -> None:
    fused = fuse_nodes(_pipeline(read), "A", "B")
    with pytest.raises(IllegalTransformationError, match="no loops can be fused"):
        fuse_loops(fused, "A_B")
    assert "t_kept: u9[6]" in show(fused)
    remarks = apply(_pipeline(read), {"A_Nd_F_B": 1, "B_LF": 1}).remarks
    assert list(remarks) == ["B_LF"]


def test_an_array_that_others_need_is_stored_outside_too() -> None:
    p = ProgramBuilder("both")
    x, t = p.input("x", u(8), (6,)), p.output("t", u(4), (6,))
    y = p.output("y", u(12), (6,))
    with p.node("A") as n, n.loop("i", 6) as i:
        t[i] = x[i] + 1
    with p.node("B") as n, n.loop("j", 6) as j:
        y[j] = t[j] * 2
    program = p.build()
    made = fuse_loops(fuse_nodes(program, "A", "B"), "A_B")
    inputs = {"x": [255, 0, 3, 100, 16, 15]}
    assert made.nodes[0].outputs == ("t", "y")
    assert interpret(made, inputs) == interpret(program, inputs)
    assert interpret(made, inputs)["t"] == (0, 1, 4, 5, 1, 0)


def test_nodes_with_another_way_between_them_are_not_fused() -> None:
    p = ProgramBuilder("triangle")
    x = p.input("x", u(8), (2,))
    a, b, y = p.array("a", u(8), (2,)), p.array("b", u(8), (2,)), p.output("y", u(8), (2,))
    for name, target, sources in (("A", a, [x]), ("B", b, [a]), ("C", y, [a, b])):
        with p.node(name) as n, n.loop(f"i{name}", 2) as i:
            value = sources[0][i]
            target[i] = value + sources[-1][i]
    program = p.build()
    with pytest.raises(IllegalTransformationError, match="'B' must run after 'A'"):
        fuse_nodes(program, "A", "C")
    with pytest.raises(IllegalTransformationError, match="no array goes from 'C' to 'A'"):
        fuse_nodes(program, "C", "A")
    # after the way through B is fused, the rest follows; in any order of the names
    made = transform(program, {"A_Nd_F_B": 1, "B_Nd_F_C": 1, "A_Nd_F_C": 1})
    assert [node.name for node in made.nodes] == ["A_B_C"]
    assert interpret(made, {"x": [3, 4]}) == interpret(program, {"x": [3, 4]})


def test_scalars_with_equal_names_are_told_apart_when_nodes_are_fused() -> None:
    p = ProgramBuilder("names")
    x, t, y = p.input("x", u(8), (3,)), p.array("t", s(9), (3,)), p.output("y", u(8), (3,))
    for name, source, target, factor in (("A", x, t, -1), ("B", t, y, 3)):
        with p.node(name) as n, n.loop("i", 3) as i:
            v = n.scalar("v", s(12) if name == "A" else u(4), source[i] * factor)
            target[i] = v
    program = p.build()
    made = fuse_nodes(program, "A", "B")
    validate(made)
    assert {(x.name, str(x.type)) for x in made.nodes[0].scalars} == {("v", "s12"), ("v_1", "u4")}
    inputs = {"x": [1, 2, 200]}
    assert interpret(made, inputs) == interpret(program, inputs)


def test_a_fused_node_gets_a_name_that_is_free() -> None:
    p = ProgramBuilder("taken")
    x, t = p.input("A_B", u(8), (3,)), p.array("t", u(9), (3,))
    y, z = p.array("y", u(8), (3,)), p.output("z", u(8), (3,))
    for name, source, target in (("A", x, t), ("B", t, y), ("C", y, z)):
        with p.node(name) as n, n.loop("i", 3) as i:
            target[i] = source[i] + 1
    program = p.build()
    made = transform(program, {"A_Nd_F_B": 1, "B_Nd_F_C": 1, "C_LF": 1})
    validate(made)
    assert [node.name for node in made.nodes] == ["A_B_1_C"]
    assert interpret(made, {"A_B": [1, 2, 253]})["z"] == (4, 5, 0)


def test_a_buffered_input_is_read_once_and_in_order() -> None:
    program = _pipeline("reversed")
    made = buffer_input(program, "B", "t")
    seen: list[int] = []

    def observe(node: str, what: str, array: str, place: int) -> None:
        if (node, what, array) == ("B", "load", "t"):
            seen.append(place)

    interpret(made, {"x": range(6)}, observe=observe)
    assert seen == list(range(6))
    assert "read each element once, in order" in streamable(program, "t")
    assert streamable(made, "t") == ""
    assert parallel_tasks(made).streams == ("t",)
    assert parallel_tasks(program).streams == ()


def test_lanes_of_an_outer_loop_break_the_order_of_a_stream() -> None:
    p = ProgramBuilder("order")
    x, t, y = p.input("x", u(4), (4, 3)), p.array("t", u(4), (4, 3)), p.output("y", u(4), (4, 3))
    for name, source, target in (("A", x, t), ("B", t, y)):
        with p.node(name) as n, n.loop("i", 4) as i, n.loop("j", 3) as j:
            target[i, j] = source[i, j]
    program = p.build()
    assert transform(program, {"TLP": 1, "A_UnrollL1": 3}).streams == ("t",)
    assert transform(program, {"TLP": 1, "A_UnrollL0": 2}).streams == ()
    assert transform(program, {"TLP": 1, "B_UnrollL0": 2}).streams == ()


def test_two_streams_between_the_same_nodes_could_block_and_so_are_none() -> None:
    p = ProgramBuilder("blocked")
    x = p.input("x", u(4), (4,))
    a, b, y = p.array("a", u(4), (4,)), p.array("b", u(4), (4,)), p.output("y", u(4), (4,))
    with p.node("A") as n, n.loop("i", 4) as i:
        a[i] = x[i]
        b[i] = x[i] + 1
    with p.node("B") as n:
        kept = n.local("kept", u(4), (4,))
        with n.loop("j", 4) as j:
            kept[j] = b[j]
        with n.loop("k", 4) as k:
            y[k] = a[k] + kept[k]
    program = p.build()
    assert streamable(program, "a") == streamable(program, "b") == ""
    assert can_block(program, ["a", "b"])
    # even one: B waits for all of the other array while A waits for room in the queue
    assert can_block(program, ["a"])
    assert parallel_tasks(program).streams == ()


def test_names_that_fit_nothing_are_refused_with_the_nearest() -> None:
    program = _pipeline("same")
    with pytest.raises(UnknownDirectiveError, match="A_UnrollL0"):
        transform(program, {"A_UnrolL0": 2})
    with pytest.raises(UnknownDirectiveError, match="expected: 0 or 1"):
        transform(program, {"TLP": 2})
    with pytest.raises(UnknownDirectiveError, match="a factor, 1 or more"):
        transform(program, {"A_UnrollL0": 0})
    with pytest.raises(UnknownDirectiveError, match="no node 'C'"):
        fuse_nodes(program, "A", "C")
    with pytest.raises(UnknownDirectiveError, match="no loop 'k'"):
        unroll(program, "A", "k", 2)
    with pytest.raises(UnknownDirectiveError, match="no input 'y'"):
        buffer_input(program, "B", "y")


def test_parameters_follow_from_the_program() -> None:
    assert list(directives(_pipeline("same"))) == [
        "A_UnrollL0",
        "A_LF",
        "A_x_BuffIn",
        "A_Nd_F_B",
        "B_UnrollL0",
        "B_LF",
        "B_t_BuffIn",
        "TLP",
    ]


def test_an_expansion_that_would_be_too_large_is_refused_before_it_is_made() -> None:
    p = ProgramBuilder("large")
    y = p.output("y", u(8), (64, 64, 64))
    with p.node("n") as n, n.loop("i", 64) as i, n.loop("j", 64) as j, n.loop("k", 64) as k:
        y[i, j, k] = i
    program = transform(p.build(), {f"n_UnrollL{d}": 64 for d in range(3)})
    assert expanded_size(program) == 64**3
    with pytest.raises(IllegalTransformationError, match="262144 statements"):
        expand(program)


@relaxed
@given(programs(), st.data())
def test_the_expanded_size_is_what_expansion_writes(program: Program, data: Any) -> None:
    factors = {
        name: data.draw(st.integers(1, 7))
        for name, d in directives(program).items()
        if d.kind == "unroll"
    }
    made = transform(program, factors)
    from daybreak_hpvm.ir.walk import statements

    written = sum(
        not isinstance(stmt, Loop) for node in expand(made).nodes for stmt in statements(node.body)
    )
    assert written <= expanded_size(made)


def test_clamps_that_the_bounds_decide_are_dropped() -> None:
    from daybreak_hpvm.ir import maximum, minimum

    p = ProgramBuilder("clamp")
    x, y = p.input("x", u(4), (8,)), p.output("y", u(4), (8,))
    with p.node("n") as n, n.loop("i", 8) as i:
        y[i] = x[minimum(maximum(i + 1, 0), 7)]
    made = expand(unroll(p.build(), "n", "i", 8))
    from daybreak_hpvm.ir.walk import loads

    assert [load.indices[0].value for load in loads(made.nodes[0].body)] == [1, 2, 3, 4, 5, 6, 7, 7]
    assert all(isinstance(load, Load) for load in loads(made.nodes[0].body))
