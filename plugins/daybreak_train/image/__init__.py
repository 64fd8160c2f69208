"""The task `image`: a small convolutional network on real images, to a fixed accuracy."""

from __future__ import annotations

__all__: list[str] = []
