"""The docs run: every Python block, every suite; links lead somewhere; the reference is current."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/*.md")])
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in _FENCE.findall(page.read_text()) if kind == language]


def _with(language: str) -> list[Path]:
    return [page for page in PAGES if blocks(page, language)]


def _id(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", _with("python"), ids=_id)
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__docs__"}
    for text in blocks(page, "python"):
        exec(compile(text, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", _with("yaml"), ids=_id)
def test_suites_in_the_docs_are_valid(page: Path, tmp_path: Path) -> None:
    from daybreak import load_suite
    from daybreak.plugin import load_plugins
    from daybreak.suite import plan_suite

    for number, text in enumerate(blocks(page, "yaml")):
        if text.startswith("suite:"):
            path = tmp_path / f"block{number}.yaml"
            path.write_text(text)
            assert plan_suite(load_suite(path), load_plugins()).studies


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if "://" not in link and not link.startswith("mailto:"):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_command_reference_is_current() -> None:
    from daybreak.cli.reference import reference

    written = (ROOT / "docs/reference/cli.md").read_text()
    assert written == reference(), "run: python -m daybreak.cli.reference > docs/reference/cli.md"


def test_public_names_are_listed_sorted_and_there() -> None:
    import daybreak

    names = [name for name in daybreak.__all__ if name != "__version__"]
    # constants first, as ruff sorts them
    assert names == sorted(names, key=lambda name: (not name.isupper(), name))
    for name in names:
        assert getattr(daybreak, name) is not None
    page = (ROOT / "docs/reference/api.md").read_text()
    missing = [name for name in names if f"`{name}" not in page]
    assert not missing, f"docs/reference/api.md does not mention {missing}"


def test_public_names_have_a_home_each() -> None:
    import daybreak

    assert set(daybreak.__all__) == {"__version__", *daybreak._HOMES}
