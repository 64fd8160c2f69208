from __future__ import annotations

import re
from pathlib import Path

import pytest

from daybreak.suite import parse_suite, suite_schema
from daybreak.suite.shape import BENCHMARK_KEYS, OPTIMIZER_KEYS, TOP_KEYS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "suites.md", DOCS / "reference" / "suite-format.md"]
BLOCKS = [
    (page.name, text)
    for page in PAGES
    for text in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
]


@pytest.mark.parametrize(("page", "text"), BLOCKS, ids=lambda value: value.split("\n")[0][:20])
def test_every_example_is_a_suite(page, text):
    assert parse_suite(text, path=DOCS / page).benchmarks


def test_every_key_is_documented():
    schema = suite_schema()
    keys = {*TOP_KEYS, *BENCHMARK_KEYS, *OPTIMIZER_KEYS}
    for definition in schema["$defs"].values():
        keys |= set(definition.get("properties", {}))
    text = PAGES[1].read_text()
    missing = {key for key in keys if not re.search(rf"[`{{ ]{key}[`,}}:]", text)}
    assert not missing


def test_the_keys_that_are_spelled_out_are_those_of_the_model():
    schema = suite_schema()
    assert set(TOP_KEYS) == set(schema["properties"])
