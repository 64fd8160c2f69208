"""What a device can hold, as far as it bears on which configurations can run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["PUBLISHED", "DeviceLimits"]


@dataclass(frozen=True, slots=True)
class DeviceLimits:
    """Bounds of one device.

    Attributes:
        work_group: work-items in a group.
        work_items: the same for each of the three dimensions.
        local_bytes: local memory of a group.
    """

    work_group: int
    work_items: tuple[int, ...]
    local_bytes: int

    def strictest(self, other: DeviceLimits) -> DeviceLimits:
        """Return bounds that keep both."""
        return DeviceLimits(
            min(self.work_group, other.work_group),
            tuple(min(pair) for pair in zip(self.work_items, other.work_items, strict=True)),
            min(self.local_bytes, other.local_bytes),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the bounds as JSON values."""
        return {**asdict(self), "work_items": list(self.work_items)}

    @classmethod
    def from_json(cls, value: Any) -> DeviceLimits:
        """Return the bounds that `as_json` wrote.

        Raises:
            ValueError: `value` is something else.
        """
        try:
            items = tuple(int(size) for size in value["work_items"])
            made = cls(int(value["work_group"]), items, int(value["local_bytes"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"no device limits: {value!r}") from error
        if len(items) != 3 or min(made.work_group, made.local_bytes, *items) < 1:
            raise ValueError(f"no device limits: {value!r}")
        return made


#: of the GPUs for which the published spaces were written
PUBLISHED = DeviceLimits(work_group=1024, work_items=(1024, 1024, 1024), local_bytes=49152)
