"""The benchmarks: programs with search spaces, random inputs and independent solutions."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, Final, cast

from daybreak import Reference, UserError, nearest
from daybreak_hpvm.benchmarks import audio, bfs, edge, preeuler
from daybreak_hpvm.benchmarks.kind import Definition, Kind
from daybreak_hpvm.benchmarks.sizes import Size, chosen_sizes, instance_label

__all__ = ["Definition", "define", "draw_inputs", "names", "sizes", "solve"]

_KINDS: Final[dict[str, Kind]] = {
    module.NAME: cast(Kind, module) for module in (bfs, audio, preeuler, edge)
}


def names() -> tuple[str, ...]:
    """Return the benchmarks' names."""
    return tuple(_KINDS)


def _kind(name: str) -> Kind:
    kind = _KINDS.get(name)
    if kind is None:
        raise UserError(
            f"there is no benchmark 'hpvm/{name}'",
            expected=", ".join(_KINDS),
            nearest=nearest(name, _KINDS),
        )
    return kind


def sizes(name: str) -> tuple[Size, ...]:
    """Return the sizes that benchmark `name` takes as options.

    Raises:
        UserError: no such benchmark.
    """
    return _kind(name).SIZES


def define(name: str, options: Mapping[str, Any] | None = None) -> Definition:
    """Return benchmark `name` with the sizes in `options` (the others keep their defaults).

    Raises:
        UserError: no such benchmark, or a size that makes no sense.
    """
    kind = _kind(name)
    chosen = chosen_sizes(name, kind.SIZES, options or {})
    space = kind.space()
    plain = {p.name: p.default for p in space.parameters}
    references = (
        Reference("default", plain, note="nothing applied", source="this benchmark"),
        Reference(
            "expert",
            {**plain, **kind.EXPERT},
            note="chosen by hand for this benchmark; not a published configuration",
            source="this benchmark",
        ),
    )
    return Definition(
        name=name,
        program=kind.program(chosen),
        space=space,
        references=references,
        sizes=chosen,
        instance=instance_label(kind.SIZES, chosen),
        summary=kind.SUMMARY,
        notes=kind.NOTES,
    )


def draw_inputs(name: str, options: Mapping[str, Any] | None, seed: int) -> dict[str, Any]:
    """Return random inputs of benchmark `name`: nested lists of integers, equal for equal seeds.

    Raises:
        UserError: no such benchmark, or a size that makes no sense.
    """
    kind = _kind(name)
    return kind.draw(chosen_sizes(name, kind.SIZES, options or {}), Random(seed))  # noqa: S311


def solve(
    name: str, options: Mapping[str, Any] | None, inputs: Mapping[str, Any]
) -> dict[str, list[int]]:
    """Return the outputs of benchmark `name`, flat, by an algorithm independent of its program.

    `inputs` are nested lists as from `draw_inputs`.

    Raises:
        UserError: no such benchmark, or a size that makes no sense.
    """
    kind = _kind(name)
    return kind.solve(chosen_sizes(name, kind.SIZES, options or {}), inputs)
