"""Node fusion: two nodes become one, and what went between them stays on the chip."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from daybreak_hpvm.ir.expr import Scalar
from daybreak_hpvm.ir.program import Assign, Node, Program, Stmt, Store
from daybreak_hpvm.ir.walk import loops, map_body
from daybreak_hpvm.transforms.errors import IllegalTransformationError
from daybreak_hpvm.transforms.names import Names, rename, rename_body
from daybreak_hpvm.transforms.unroll import find_node

__all__ = ["fuse_nodes", "path_between", "sorted_nodes"]


def fuse_nodes(program: Program, first: str, second: str, *, name: str | None = None) -> Program:
    """Fuse node `second` into `first`, which hands it an array.

    The new node runs the first one's body, then the second one's. Every array between the two is
    kept in a local memory; it is also stored outside if somebody else reads it. `fuse_loops` then
    merges their loops where the second takes elements in the iteration in which the first makes
    them.

    Args:
        program: the program.
        first: the node that writes.
        second: the node that reads.
        name: the new node's name; otherwise ``first_second``, numbered if that is taken.

    Raises:
        UnknownDirectiveError: no such node.
        IllegalTransformationError: no array goes from `first` to `second`; or some other way leads from
            one to the other through a third node, which would have to run in between.
    """
    a, b = find_node(program, first), find_node(program, second)
    where = f"{first}.{second}"
    between = [x for x in a.outputs if x in b.inputs]
    if not between:
        raise IllegalTransformationError(f"no array goes from '{first}' to '{second}'", field=where)
    through = path_between(program, first, second)
    if through is not None:
        raise IllegalTransformationError(
            f"'{through}' must run after '{first}' and before '{second}'", field=where
        )
    fresh = Names(program, a, b)
    taken = {x.name for x in a.locals} | {x.name for x in a.scalars}
    taken |= {x.var for x in loops(a.body)}
    b = rename(b, fresh.fresh, taken)
    body_a, body_b = a.body, b.body
    local, scalars = [*a.locals, *b.locals], [*a.scalars, *b.scalars]
    dropped: set[str] = set()
    for array in between:
        copy = replace(program.array(array), name=fresh.fresh(f"{array}_kept"))
        local.append(copy)
        needed = array in program.outputs or any(
            array in n.inputs for n in program.nodes if n.name not in (first, second)
        )
        if needed:
            value = Scalar(fresh.fresh(f"{array}_both"), copy.type)
            scalars.append(value)
            body_a = _stored_twice(body_a, array, copy.name, value)
        else:
            dropped.add(array)
            body_a = rename_body(body_a, {array: copy.name})
        body_b = rename_body(body_b, {array: copy.name})
    fused = Node(
        name or fresh.fresh(f"{first}_{second}"),
        tuple(dict.fromkeys([*a.inputs, *(x for x in b.inputs if x not in between)])),
        tuple(x for x in (*a.outputs, *b.outputs) if x not in dropped),
        body_a + body_b,
        tuple(local),
        tuple(scalars),
    )
    nodes = [fused if n.name == second else n for n in program.nodes if n.name != first]
    arrays = tuple(x for x in program.arrays if x.name not in dropped)
    return replace(program, arrays=arrays, nodes=sorted_nodes(nodes, program.inputs))


def _stored_twice(body: Iterable[Stmt], array: str, copy: str, value: Scalar) -> tuple[Stmt, ...]:
    def stmt(found: Stmt) -> Iterable[Stmt]:
        if isinstance(found, Store) and found.array == array:
            return (
                Assign(value, found.value),
                replace(found, value=value),
                replace(found, array=copy, value=value),
            )
        return (found,)

    return map_body(body, stmt=stmt)


def path_between(program: Program, first: str, second: str) -> str | None:
    """Return a node that needs what `first` makes and that `second` needs, or None.

    Directly or through others; an array from `first` to `second` itself does not count.
    """
    after = {first}
    for node in program.nodes:
        if node.name != second and any(
            x in node.inputs for n in program.nodes if n.name in after for x in n.outputs
        ):
            after.add(node.name)
    target = program.node(second)
    for node in program.nodes:
        if node.name in after - {first} and any(x in target.inputs for x in node.outputs):
            return node.name
    return None


def sorted_nodes(nodes: Iterable[Node], inputs: Iterable[str]) -> tuple[Node, ...]:
    """Return `nodes` in topological order, as close to their own as possible.

    Raises:
        IllegalTransformationError: there is a cycle.
    """
    ready, waiting, done = set(inputs), list(nodes), list[Node]()
    while waiting:
        node = next((n for n in waiting if ready.issuperset(n.inputs)), None)
        if node is None:
            names = ", ".join(n.name for n in waiting)
            raise IllegalTransformationError(f"nodes {names} wait for each other")
        waiting.remove(node)
        ready.update(node.outputs)
        done.append(node)
    return tuple(done)
