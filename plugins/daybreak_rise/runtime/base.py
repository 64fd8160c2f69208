"""What every runtime offers: it compiles a kernel, and a compiled kernel runs on arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from daybreak import ResourceExceeded
from daybreak_rise.runtime.limits import DeviceLimits

if TYPE_CHECKING:
    import numpy as np

    from daybreak_rise.codegen import Kernel

__all__ = ["Compiled", "Runtime", "check_fits"]


class Compiled(Protocol):
    """A kernel that was compiled, with its buffers on the device.

    `facts` are JSON values and `phases` seconds, recorded with the trial.
    """

    facts: Mapping[str, Any]
    phases: Mapping[str, float]

    def load(self, inputs: Sequence[np.ndarray[Any, Any]]) -> None:
        """Copy the inputs to the device and fill the output with what no result holds."""
        ...

    def run(self) -> float:
        """Run once and return the seconds that the device took, nothing else in its queue."""
        ...

    def result(self) -> np.ndarray[Any, Any]:
        """Return a copy of the output, in its shape."""
        ...

    def close(self) -> None:
        """Free the buffers; safe to call twice."""
        ...


class Runtime(Protocol):
    """A device with its compiler. `identity` names whatever makes times incomparable."""

    identity: Mapping[str, str]
    limits: DeviceLimits
    #: the language of the kernels that it takes: `opencl`, `cuda` or `c`
    language: str
    #: of the device: `cpu`, `gpu`, `accelerator` or `custom`
    kind: str
    #: processors that a kernel may use, where that is fewer than the machine has
    threads: int | None

    def compile(self, kernel: Kernel) -> Compiled:
        """Compile a kernel.

        Raises:
            BuildFailed: the compiler refuses it; the detail holds its log.
            ResourceExceeded: it asks for more than the device has.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class _Need:
    what: str
    asked: int
    limit: int


def check_fits(kernel: Kernel, limits: DeviceLimits) -> None:
    """Refuse a kernel that the device cannot hold.

    Raises:
        ResourceExceeded: too many work-items in a group, or too much local memory; `numbers` holds
            what was asked for and what there is.
    """
    group = 1
    for size in kernel.local_size:
        group *= size
    needs = [
        _Need("work_items_in_group", group, limits.work_group),
        _Need("local_bytes", kernel.local_bytes, limits.local_bytes),
    ]
    for dimension, size in enumerate(kernel.local_size[: len(limits.work_items)]):
        needs.append(_Need(f"work_items_{dimension}", size, limits.work_items[dimension]))
    for need in needs:
        if need.asked > need.limit:
            raise ResourceExceeded(
                f"{need.what}: {need.asked} asked for, the device has {need.limit}",
                numbers={need.what: need.asked, f"{need.what}_limit": need.limit},
            )
