"""How many work-items a kernel is started with."""

from __future__ import annotations

from dataclasses import dataclass

from daybreak import BuildFailed

__all__ = ["Launch", "three"]


def three(sizes: int | tuple[int, ...]) -> tuple[int, int, int]:
    """Return sizes in three dimensions, with ones where some are missing.

    Raises:
        BuildFailed: more than three of them, or one below 1.
    """
    given = (sizes,) if isinstance(sizes, int) else tuple(sizes)
    if len(given) > 3 or any(one < 1 for one in given):
        raise BuildFailed(f"work-items in up to three dimensions, at least 1 each, not {given}")
    first, second, third = (*given, 1, 1, 1)[:3]
    return first, second, third


@dataclass(frozen=True, slots=True)
class Launch:
    """Work-items of a group and number of groups, in three dimensions."""

    local: tuple[int, int, int]
    groups: tuple[int, int, int]

    @classmethod
    def of(cls, local: int | tuple[int, ...], global_: int | tuple[int, ...]) -> Launch:
        """Return the launch of `global_` work-items in groups of `local`.

        Raises:
            BuildFailed: the groups do not divide the work-items.
        """
        small, large = three(local), three(global_)
        if any(g % s for g, s in zip(large, small, strict=True)):
            raise BuildFailed(f"groups of {small} work-items do not divide {large}")
        first, second, third = (g // s for g, s in zip(large, small, strict=True))
        return cls(small, (first, second, third))

    @property
    def global_(self) -> tuple[int, int, int]:
        """All work-items."""
        first, second, third = (a * b for a, b in zip(self.local, self.groups, strict=True))
        return first, second, third
