"""The chain of trees: cuts a space into independent parts along its constraints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from daybreak.errors import SpaceError
from daybreak.space.building import TooLargeError
from daybreak.space.constraint import Constraint, parse_constraint
from daybreak.space.open import OpenPart
from daybreak.space.parameters import Parameter, Real
from daybreak.space.parts import FreePart, Part, TreePart
from daybreak.space.tree import empty_error

__all__ = ["activity_order", "linked_groups", "make_parts"]


def linked_groups(names: Sequence[str], constraints: Iterable[Constraint]) -> list[tuple[str, ...]]:
    """Group names that constraints link, directly or through others (union-find).

    Returns:
        The groups in order of their first name; each keeps the order of `names`.
    """
    parent = {name: name for name in names}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for constraint in constraints:
        for other in constraint.names[1:]:
            parent[root(other)] = root(constraint.names[0])
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(root(name), []).append(name)
    return [tuple(group) for group in groups.values()]


def make_parts(
    parameters: Mapping[str, Parameter], constraints: Sequence[Constraint], space: str
) -> list[Part]:
    """Cut a space into parts, in order of their first parameter.

    Args:
        parameters: by name, in order of declaration.
        constraints: the user's and those derived from `when`.
        space: the space's name, for messages.

    Raises:
        SpaceError: no configuration satisfies the constraints; names those at fault.
    """
    for constraint in constraints:
        if not constraint.names and not constraint.holds({}):
            raise empty_error([constraint], space)
    return [
        _part(group, parameters, constraints, space)
        for group in linked_groups(list(parameters), constraints)
    ]


def _part(
    group: tuple[str, ...],
    parameters: Mapping[str, Parameter],
    constraints: Sequence[Constraint],
    space: str,
) -> Part:
    members = [parameters[name] for name in group]
    mine = [c for c in constraints if c.names and c.names[0] in group]
    if not mine:
        return FreePart(members[0])
    if not any(isinstance(member, Real) for member in members):
        try:
            return TreePart(members, mine, space)
        except TooLargeError as reason:
            # what is too large for a tree is sampled by rejection
            proposals: list[Part] = [FreePart(member) for member in members]
            return OpenPart(members, mine, proposals, mine, (), reason)
    return _open_part(members, mine, space)


def _open_part(
    members: Sequence[Parameter], constraints: Sequence[Constraint], space: str
) -> OpenPart:
    """Make the part of a group with real parameters: trees propose, reals are drawn beside."""
    reals = {member.name for member in members if isinstance(member, Real)}
    # a conditional real is put at rest where it is inactive, so its condition always holds
    remaining = [c for c in constraints if not reals.isdisjoint(c.names) and c.subject not in reals]
    inner = [c for c in constraints if reals.isdisjoint(c.names)]
    countable = {m.name: m for m in members if m.name not in reals}
    conditions = [
        (member, parse_constraint(member.when))
        for member in activity_order(members)
        if isinstance(member, Real) and member.when is not None
    ]
    proposals = make_parts(countable, inner, space)
    return OpenPart(members, constraints, proposals, remaining, conditions)


def activity_order(parameters: Sequence[Parameter]) -> list[Parameter]:
    """Order parameters so that each comes after those that its `when` names.

    Raises:
        SpaceError: conditions that depend on each other in a circle.
    """
    left = {parameter.name: parameter for parameter in parameters}
    needs = {
        p.name: set() if p.when is None else set(parse_constraint(p.when).names) for p in parameters
    }
    order = []
    while left:
        ready = [name for name in left if needs[name].isdisjoint(left)]
        if not ready:
            circle = ", ".join(f"'{name}'" for name in left if needs[name] & left.keys())
            raise SpaceError(
                f"the conditions (`when`) of {circle} depend on each other in a circle",
                remedy="let each condition name only parameters that can be decided before it",
            )
        order += [left.pop(name) for name in ready]
    return order
