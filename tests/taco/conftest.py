"""Fixtures of the tests of target `taco`: the real compiler, built once per user if need be."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from taco_support import define

from daybreak import RequirementError
from daybreak_taco.session import TacoSession
from daybreak_taco.target import TacoTarget
from daybreak_taco.toolchain import Taco, find_taco

# Nothing is timed here, and on a busy machine threads that spin at a barrier wait for one another.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@pytest.fixture(scope="session")
def taco() -> Taco:
    """The real compiler; built by the setup when this user has none yet (a minute or two)."""
    try:
        return find_taco()
    except RequirementError:
        TacoTarget().setup(lambda fraction, what: None)
        return find_taco()


@pytest.fixture(scope="session")
def sessions(taco: Taco) -> Iterator[Callable[..., TacoSession]]:
    """Open small benchmarks, each once for all tests, so that a kernel is compiled only once."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def enter(name: str, **options: Any) -> TacoSession:
            target = TacoTarget()
            return stack.enter_context(target.open(define(name, taco=str(taco.path), **options)))

        yield enter


@pytest.fixture
def opened(
    sessions: Callable[..., TacoSession],
) -> Callable[..., AbstractContextManager[TacoSession]]:
    """Open a small benchmark in this process: ``with opened("spmm") as session``.

    The session is shared; a test that is about opening and closing makes one of its own.
    """

    def open_(name: str, **options: Any) -> AbstractContextManager[TacoSession]:
        return contextlib.nullcontext(sessions(name, **options))

    return open_


@pytest.fixture
def cache(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty cache folder in place of the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("daybreak_taco.toolchain.cache_folder", lambda: tmp_path / "cache" / "taco")
    monkeypatch.setattr("daybreak_taco.install.cache_folder", lambda: tmp_path / "cache" / "taco")
    monkeypatch.setattr(
        "daybreak_taco.data.fetching.cache_folder", lambda: tmp_path / "cache" / "taco"
    )
    return tmp_path / "cache" / "taco"
