"""The pytest side of the conformance kit: one option, and nothing else unless it is used."""

from __future__ import annotations

import pytest

__all__ = ["pytest_addoption", "pytest_configure"]

# the kit's own asserts explain themselves like those of a test file
pytest.register_assert_rewrite(
    "daybreak.testing.components", "daybreak.testing.optimizers", "daybreak.testing.targets"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--daybreak-plugin``."""
    parser.getgroup("daybreak").addoption(
        "--daybreak-plugin",
        action="append",
        default=[],
        metavar="NAME",
        help="hold the installed Daybreak plugin NAME to its contract; "
        "use with --pyargs daybreak.testing (may be repeated)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Hand the option to the kit, if it was given."""
    names = config.getoption("--daybreak-plugin")
    if names:
        from daybreak.testing import selection

        selection.plugins = tuple(names)
