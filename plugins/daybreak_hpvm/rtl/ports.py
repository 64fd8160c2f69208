"""What a design's ports to external memory are called."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MemoryPort"]


@dataclass(frozen=True, slots=True)
class MemoryPort:
    """A node's port to one array outside.

    Attributes:
        node: who has it.
        array: which array.
        store: whether it stores; else it loads.
        address_bits: width of the address, a row-major position.
        bits: width of an element.
        signed: whether elements are.
        size: elements of the array.
        stalls: whether the node may stand still; the port then stands still with it.
        prefix: beginning of the signals' names, no other port's.
    """

    node: str
    array: str
    store: bool
    address_bits: int
    bits: int
    signed: bool
    size: int
    stalls: bool
    prefix: str

    @property
    def addr(self) -> str:
        """Signal of the address."""
        return f"{self.prefix}_addr"

    @property
    def data(self) -> str:
        """Signal of the element: into the design for a load, out of it for a store."""
        return f"{self.prefix}_data"

    @property
    def enable(self) -> str:
        """Signal that is 1 in a cycle with an access."""
        return f"{self.prefix}_en"

    @property
    def go(self) -> str | None:
        """Signal that is 0 while the port stands still, if it ever does."""
        return f"{self.node}_go" if self.stalls else None
