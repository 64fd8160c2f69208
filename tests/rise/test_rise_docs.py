"""The page on the language names every pattern with its type, every rule and every strategy."""

from __future__ import annotations

import re
from pathlib import Path

from rise_programs import rule_words

from daybreak_rise.patterns import PATTERNS
from daybreak_rise.strategies import loops, lowering, normal, products, windows

PAGE = (Path(__file__).parents[2] / "docs/targets/rise-language.md").read_text()


def test_every_pattern_stands_with_its_type() -> None:
    for pattern in PATTERNS.values():
        scheme = str(pattern.scheme).replace("'", "")
        rows = [line for line in PAGE.split("\n") if re.search(rf"`{pattern.name}[(`]", line)]
        assert any(f"`{scheme}`" in row for row in rows), pattern.name


def test_every_rule_is_named() -> None:
    missing = [name for name in rule_words() if not re.search(rf"`{name}[(`]", PAGE)]
    assert not missing


def test_every_strategy_is_named() -> None:
    names = {n for m in (loops, normal, products, windows) for n in m.__all__}
    names |= {"lower_nest", "lower_rest"}
    inner = {"past_movements", "steps", "nested_product"}
    missing = [name for name in names - inner if not re.search(rf"[`(]{name}[(`]", PAGE)]
    assert not missing
    assert {"stage_fold", "upstream"} <= set(lowering.__all__)
