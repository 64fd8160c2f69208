"""A factory in a module whose library is missing."""

from __future__ import annotations

import a_library_that_nobody_has  # type: ignore[import-not-found]  # noqa: F401


class Never:
    """Cannot be reached."""
