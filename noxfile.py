"""Everything a contributor may run: `nox -l` lists it."""

from __future__ import annotations

import nox

__all__ = ["benchmarks", "browser", "example", "lint", "peers", "slow", "tests", "types"]

nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True


@nox.session
def tests(session: nox.Session) -> None:
    """The test suite, as the README's command runs it."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "auto", "--dist", "loadfile", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    session.install("ruff>=0.9")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types of the core, strictly."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session
def slow(session: nox.Session) -> None:
    """Checks that take minutes: hundreds of kills, the A/A test of honesty in full."""
    session.install("-e", ".[test]")
    session.run(
        "pytest", "-m", "slow", "--override-ini", "addopts=-ra --benchmark-skip", *session.posargs
    )


@nox.session
def peers(session: nox.Session) -> None:
    """The other projects' optimizers, with all their libraries: some gigabytes, some minutes."""
    session.install("-e", ".[test,peers]")
    session.run(
        "pytest",
        "tests/peers",
        "--override-ini",
        "addopts=-ra --strict-markers --benchmark-skip -p no:cacheprovider",
        *session.posargs,
    )


@nox.session
def browser(session: nox.Session) -> None:
    """The report in headless Chromium, at ten and ten thousand studies; fails where there is none."""
    session.install("-e", ".[test]")
    session.run(
        "pytest",
        "tests/report/test_report_browser.py",
        "--override-ini",
        "addopts=-ra --strict-markers --benchmark-skip -p no:cacheprovider",
        *session.posargs,
        env={"DAYBREAK_BROWSER_REQUIRED": "1"},
    )


@nox.session
def benchmarks(session: nox.Session) -> None:
    """The speed of the harness itself, side by side with its peers."""
    session.install("-e", ".[benchmarks]")
    session.run(
        "pytest",
        "tests/benchmarks",
        "--benchmark-only",
        "--override-ini",
        "addopts=-ra",
        "--benchmark-columns=median,iqr,rounds",
        *session.posargs,
    )


@nox.session
def example(session: nox.Session) -> None:
    """The third-party example: its wheel beside ours in a new environment, and a suite on it."""
    wheels = session.create_tmp()
    session.install("build", "hatchling>=1.26")
    session.run("python", "-m", "build", "--wheel", "--outdir", wheels, ".")
    session.run("python", "-m", "build", "--wheel", "--outdir", wheels, "examples/daybreak-example")
    session.install(
        "--force-reinstall",
        "--no-deps",
        "--no-index",
        "--find-links",
        wheels,
        "daybreak",
        "daybreak-example",
    )
    session.install("--find-links", wheels, "daybreak[test]", "daybreak-example")
    session.chdir(session.create_tmp())
    session.run("daybreak", "plugins", "list")
    session.run(
        "daybreak", "run", f"{session.invoked_from}/examples/daybreak-example/suites/example.yaml"
    )
    session.run(
        "daybreak",
        "sql",
        "SELECT benchmark, optimizer, best_median, versus_expert, failures FROM leaderboard",
    )
    session.run("pytest", "-q", f"{session.invoked_from}/examples/daybreak-example/tests")
