"""What a benchmark of this target is: a space, an expression, a strategy, data and their answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from daybreak import BuildFailed, Configuration, Ordinal, Parameter, Reference, Space
from daybreak_rise.elevate.strategy import Failure, Strategy
from daybreak_rise.errors import RewriteError
from daybreak_rise.runtime.limits import PUBLISHED, DeviceLimits

if TYPE_CHECKING:
    import numpy as np

    from daybreak_rise.benchmarks.answers import Expected
    from daybreak_rise.expr import Expr

__all__ = [
    "SOURCE",
    "Launch",
    "Sizes",
    "Work",
    "Workload",
    "group_constraints",
    "launch_constraints",
    "launch_parameters",
    "ordinal",
    "powers",
    "sizes_of_launch",
]

SOURCE = "https://github.com/rise-lang/shine, branch autotuning_benchmarks_artifact"

#: sizes of a benchmark by name
Sizes = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Launch:
    """How many work-items there are, in all and in a group; dimensions that are left out have 1."""

    global_size: tuple[int, ...]
    local_size: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """What the mathematics asks for: operations, and bytes that must be moved at least once."""

    flops: float
    bytes: float


class Workload(ABC):
    """One benchmark; all that it says depends on nothing but its sizes."""

    name: ClassVar[str]
    summary: ClassVar[str]
    language: ClassVar[Literal["opencl", "c"]] = "opencl"
    #: the published sizes, by option
    published: ClassVar[Sizes]
    #: sizes with which a trial takes about a second
    rehearsal: ClassVar[Sizes]
    notes: ClassVar[tuple[str, ...]] = ()
    #: whether work-items of a dimension that the program does not use do its work again
    repeats: ClassVar[bool] = False
    #: what the published configurations' notes say
    reference_notes: ClassVar[Mapping[str, str]] = {}

    # ---- the search space ---------------------------------------------------------------------

    @abstractmethod
    def parameters(self, sizes: Sizes) -> list[Parameter]:
        """Return the parameters; at the published sizes they are the published ones."""

    @abstractmethod
    def constraints(self, sizes: Sizes, limits: DeviceLimits) -> list[str]:
        """Return the known constraints; with the published sizes and limits the published ones."""

    @abstractmethod
    def configurations(self, sizes: Sizes) -> dict[str, Configuration]:
        """Return `default` and `expert`; at other sizes the published ones, cut to what exists."""

    def space(self, sizes: Sizes, limits: DeviceLimits = PUBLISHED) -> Space:
        """Return the search space on a device with these limits."""
        return Space(
            self.parameters(sizes),
            self.constraints(sizes, limits.strictest(PUBLISHED)),
            name=f"rise/{self.name}",
            clipped=True,
        )

    def references(self, space: Space, sizes: Sizes) -> tuple[Reference, ...]:
        """Return `default` and `expert`; one that breaks a constraint stands outside the space."""
        found = []
        for name, configuration in self.configurations(sizes).items():
            note = self.reference_notes.get(name, "")
            if dict(sizes) != dict(self.published):
                note = "; ".join(filter(None, (note, "the published one, cut to these sizes")))
            inside = configuration in space
            found.append(Reference(name, configuration, in_space=inside, note=note, source=SOURCE))
        return tuple(found)

    def instance(self, sizes: Sizes) -> str:
        """Return the sizes as a label, e.g. ``n1024``."""
        return "-".join(f"{name[0]}{value}" for name, value in sizes.items())

    # ---- the program --------------------------------------------------------------------------

    @abstractmethod
    def program(self, sizes: Sizes) -> Expr:
        """Return what is computed, without a word about how."""

    @abstractmethod
    def strategy(self, sizes: Sizes, configuration: Configuration) -> Strategy:
        """Return the strategy that takes the parameters."""

    def kernel_part(self, rewritten: Expr) -> Expr:
        """Return the part of the rewritten program that is the kernel: all of it."""
        return rewritten

    def lower(self, sizes: Sizes, configuration: Configuration) -> Expr:
        """Return how it is computed: `program` rewritten by `strategy`.

        Raises:
            BuildFailed: the strategy does not apply: a size does not divide another, say.
        """
        strategy = self.strategy(sizes, configuration)
        try:
            found = strategy.run(self.program(sizes))
        except RewriteError as error:
            raise BuildFailed(f"rewriting: {error.message}", detail=str(error)) from None
        if isinstance(found, Failure):
            raise BuildFailed(f"rewriting: {found}")
        return self.kernel_part(found)

    def launch(self, configuration: Configuration) -> Launch | None:
        """Return the work-items; None for a program of one thread."""
        return sizes_of_launch(configuration, 2)

    # ---- the data -----------------------------------------------------------------------------

    @abstractmethod
    def draw(self, sizes: Sizes, rng: np.random.Generator) -> tuple[np.ndarray[Any, Any], ...]:
        """Return fresh random inputs in the order in which the program takes them."""

    @abstractmethod
    def expected(
        self,
        sizes: Sizes,
        configuration: Configuration,
        inputs: Sequence[np.ndarray[Any, Any]],
    ) -> Expected:
        """Return what NumPy computes from them in float64, with its tolerance."""

    @abstractmethod
    def work(self, sizes: Sizes) -> Work:
        """Return the work that the problem asks for."""

    # ---- configurations that must fail ----------------------------------------------------------

    def too_large(self, sizes: Sizes) -> Sequence[Configuration]:  # noqa: ARG002
        """Return configurations that no device has the resources for."""
        return ()

    def unbuildable(self, sizes: Sizes) -> Configuration | None:  # noqa: ARG002
        """Return a configuration whose strategy does not apply, if there is one."""
        return None


def powers(first: int, last: int) -> tuple[int, ...]:
    """Return the powers of two from `first` to `last`, both included."""
    found = []
    while first <= last:
        found.append(first)
        first *= 2
    return tuple(found)


def ordinal(name: str, values: Sequence[int]) -> Ordinal:
    """Return a parameter on a logarithmic scale, as all published ones are."""
    return Ordinal(name, tuple(values), log=True)


def sizes_of_launch(configuration: Configuration, dimensions: int) -> Launch:
    """Return the launch that ``gs0``, ``gs1``, ``ls0``, ``ls1`` ask for.

    Raises:
        BuildFailed: the groups do not fill the whole.
    """
    whole = tuple(int(configuration[f"gs{d}"]) for d in range(dimensions))  # type: ignore[arg-type]
    group = tuple(int(configuration[f"ls{d}"]) for d in range(dimensions))  # type: ignore[arg-type]
    for dimension, (all_items, items) in enumerate(zip(whole, group, strict=True)):
        if all_items % items:
            raise BuildFailed(
                f"gs{dimension} = {all_items} is no multiple of ls{dimension} = {items}"
            )
    return Launch(whole, group)


def launch_parameters() -> list[Parameter]:
    """Return the parameters of a benchmark that chooses nothing but its work-items."""
    return [ordinal(name, powers(1, 1024)) for name in ("gs0", "gs1", "ls0", "ls1")]


def launch_constraints(limits: DeviceLimits) -> list[str]:
    """Return the published constraints on them."""
    return [
        "gs0 % ls0 == 0",
        "gs1 % ls1 == 0",
        f"ls0 * ls1 <= {limits.work_group}",
        *group_constraints(limits, 2),
    ]


def group_constraints(limits: DeviceLimits, dimensions: int) -> list[str]:
    """Return the constraints on ``ls0``, ``ls1`` of a device, where stricter than the published."""
    found = [
        f"ls{d} <= {limits.work_items[d]}"
        for d in range(dimensions)
        if limits.work_items[d] < PUBLISHED.work_items[d]
    ]
    if dimensions == 1 and limits.work_group < PUBLISHED.work_group:
        found.append(f"ls0 <= {limits.work_group}")
    return found
