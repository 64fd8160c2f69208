"""Options of the fake target."""

from __future__ import annotations

from pydantic import BaseModel


class Options(BaseModel):
    instance: str = ""
    delay: float = 0.0
    broken: bool = False
    noise: float = 0.0
    spin: int = 0
    unreadable: bool = False
    place: str = ""
