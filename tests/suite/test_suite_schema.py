from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from suite_fakes import fake_registry
from test_suite_messages import GOOD
from test_suite_mutations import TEXT

from daybreak.suite import suite_schema

jsonschema = pytest.importorskip("jsonschema")

SHIPPED = sorted((Path(__file__).parents[2] / "suites").glob("*.yaml"))


def errors(text: str, schema: dict) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(yaml.safe_load(text))]


@pytest.fixture(scope="module")
def plain() -> dict:
    return suite_schema()


@pytest.fixture(scope="module")
def installed() -> dict:
    return suite_schema(fake_registry())


def test_the_schema_is_one(plain, installed):
    jsonschema.Draft202012Validator.check_schema(plain)
    jsonschema.Draft202012Validator.check_schema(installed)


@pytest.mark.parametrize("text", [GOOD, TEXT], ids=["short", "long"])
def test_good_suites_fit(text, plain, installed):
    assert errors(text, plain) == []
    assert errors(text, installed) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_suites_fit(path, plain):
    assert errors(path.read_text(), plain) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("suite: 1", "suite: 2"),
        ("budget:", "bugdet:"),
        ("evaluations: 20", "evaluations: 0"),
        ("evaluations: 20", "evaluatons: 20"),
        ("seeds: 3", "seeds: three"),
        ("name: mine", "name: 3"),
        ("timeout: 10s", "timeout: 10m"),
        ("warmup: auto", "warmup: some"),
        ("- random", "- random: 3"),
        ("fake/spmm:", "spmm:"),
        ("columns: 64}", "columns: 64}\n    columns: 3"),
        ("{expert: 1.0}", "{expert: fast}"),
        ("repeats: {min: 5", "repeats: {mn: 5"),
    ],
)
def test_bad_suites_do_not(old, new, plain):
    assert old in GOOD
    assert errors(GOOD.replace(old, new), plain)


@pytest.mark.parametrize(
    ("old", "new"),
    [("- random", "- randon"), ("fake/spmm", "fake/spmn"), ("columns: 64", "columns: wide")],
)
def test_with_a_registry_names_and_options_are_known(old, new, installed):
    assert errors(GOOD.replace(old, new), installed)


def test_everything_is_described(plain):
    for properties in [plain["properties"], *(d["properties"] for d in plain["$defs"].values() if "properties" in d)]:  # fmt: skip
        for name, field in properties.items():
            assert field.get("description"), name
