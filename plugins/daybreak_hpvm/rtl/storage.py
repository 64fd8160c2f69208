"""Where each array of a node is kept, and in how many banks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from daybreak_hpvm.ir import Array, Expr, Loop, Node, Program
from daybreak_hpvm.rtl.costs import MAX_BANKS, REGISTER_ELEMENTS
from daybreak_hpvm.transforms.access import Access, accesses
from daybreak_hpvm.transforms.affine import Affine, affine

__all__ = ["Place", "Storage", "flat_affine", "place_of", "storage_plan"]


@dataclass(frozen=True, slots=True)
class Storage:
    """How an array is kept.

    Attributes:
        array: the array.
        kind: ``external``, ``stream``, ``registers`` or ``ram``.
        banks: of a RAM: element p lies in bank ``p % banks`` at ``p // banks``.
        replicas: of a RAM: copies of each bank, each with one load per cycle.
    """

    array: Array
    kind: str
    banks: int = 1
    replicas: int = 1

    @property
    def depth(self) -> int:
        """Elements of a bank."""
        return -(-self.array.size // self.banks)

    @property
    def address_bits(self) -> int:
        """Bits of a place within a bank."""
        return max(1, (self.depth - 1).bit_length())


@dataclass(frozen=True, slots=True)
class Place:
    """A place within a bank: ``constant + sum(factor * variable) + sum(factor * count)``.

    `counts` are factors of how many iterations of a loop came before.
    """

    bank: int
    constant: int
    indices: tuple[tuple[str, int], ...]
    counts: tuple[tuple[str, int], ...]


def flat_affine(indices: Sequence[Expr], shape: Sequence[int]) -> Affine | None:
    """Return the row-major position as an affine form of loop variables, None if it is none."""
    constant, factors, stride = 0, dict[str, int](), 1
    for index, extent in zip(reversed(indices), reversed(shape), strict=True):
        form = affine(index)
        if form is None:
            return None
        constant += form.constant * stride
        for name, factor in form.terms:
            factors[name] = factors.get(name, 0) + factor * stride
        stride *= extent
    return Affine(constant, tuple(sorted((n, f) for n, f in factors.items() if f)))


def place_of(form: Affine, banks: int, loops: Mapping[str, Loop]) -> Place:
    """Return bank and place of position `form`, which must stay in one bank."""
    constant = form.constant
    indices, counts = [], []
    for name, factor in form.terms:
        if factor % banks == 0:
            indices.append((name, factor // banks))
        else:
            loop = loops[name]
            constant += factor * loop.start
            counts.append((name, factor * loop.step // banks))
    bank = constant % banks
    return Place(bank, constant // banks, tuple(indices), tuple(counts))


def storage_plan(program: Program, node: Node) -> dict[str, Storage]:
    """Return how `node` keeps or reaches each of its arrays; replicas are left at 1."""
    plan: dict[str, Storage] = {}
    for name in (*node.inputs, *node.outputs):
        kind = "stream" if name in program.streams else "external"
        plan[name] = Storage(program.array(name), kind)
    found: dict[str, list[Access]] = {}
    for access in accesses(node.body):
        found.setdefault(access.array, []).append(access)
    for array in node.locals:
        forms = [
            (flat_affine(access.indices, array.shape), access)
            for access in found.get(array.name, [])
        ]
        constant = all(form is not None and not form.terms for form, _ in forms)
        if array.size <= REGISTER_ELEMENTS or constant:
            plan[array.name] = Storage(array, "registers")
        else:
            plan[array.name] = replace(Storage(array, "ram"), banks=_banks(array, forms))
    return plan


def _banks(array: Array, forms: Sequence[tuple[Affine | None, Access]]) -> int:
    common = 0
    for form, access in forms:
        if form is None:
            return 1
        steps = {loop.var: loop.step for loop in access.loops if loop.trips > 1}
        for name, factor in form.terms:
            if name in steps:
                common = math.gcd(common, factor * steps[name])
    # no access moves at all, or all move by multiples of `common`
    limit = min(MAX_BANKS, array.size)
    if common == 0:
        return 1
    return next(banks for banks in range(limit, 0, -1) if common % banks == 0)
