"""A component is brought to life, validated and checked for what it needs."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from daybreak.errors import PluginError, RequirementError, UserError
from daybreak.plugin import Component, OptimizerSpec, TargetSpec
from daybreak.plugin.requirements import check_executable, check_package, install_command

SOURCE = """
from pydantic import BaseModel, ConfigDict

from daybreak.errors import UserError


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    beads: int = 10
    colours: tuple[str, ...] = ("red",)


class SumOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")
    digits: int


class Abacus:
    def __init__(self, *arguments):
        self.arguments = arguments


class NoModel:
    pass


not_callable = 3


def raises(*arguments):
    raise ValueError("no wood")


def leaves(*arguments):
    raise SystemExit(2)


def blames_user(*arguments):
    raise UserError("the abacus is locked", remedy="unlock it")
"""


@pytest.fixture
def component(tmp_path, monkeypatch):
    (tmp_path / "abacus_parts.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(factory: str = "abacus_parts:Abacus", **fields) -> Component:
        spec = TargetSpec(name="abacus", factory=factory, summary="Counts beads", **fields)
        return Component(spec, "abacus", "abacus-plugin", "2.1")

    return make


def test_create_passes_arguments(component):
    assert component().create(1, 2).arguments == (1, 2)


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        ("abacus_gone:Abacus", "cannot be imported: ModuleNotFoundError"),
        ("abacus_parts:Gone", "cannot be imported: AttributeError"),
        ("abacus_parts:not_callable", "is not callable"),
        ("abacus_parts:raises", "raised ValueError: no wood"),
        ("abacus_parts:leaves", "raised SystemExit"),
    ],
)
def test_a_broken_factory_names_plugin_and_distribution(component, factory, words):
    with pytest.raises(PluginError) as caught:
        component(factory).create()
    assert words in str(caught.value)
    assert "plugin 'abacus' (from abacus-plugin 2.1)" in str(caught.value)


def test_what_the_factory_blames_on_the_user_stays_that(component):
    with pytest.raises(UserError, match="unlock it"):
        component("abacus_parts:blames_user").create()


def test_a_failing_import_with_a_missing_requirement_is_the_machines_fault(component):
    broken = component("abacus_gone:Abacus", requires=("no-such-abacus>=3",))
    with pytest.raises(RequirementError) as caught:
        broken.create()
    assert "no-such-abacus>=3: not installed" in str(caught.value)
    assert caught.value.remedy == "pip install 'no-such-abacus>=3'"


def test_validate_fills_in_defaults_and_gives_json(component):
    made = component(options="abacus_parts:Options").validate({"beads": 3})
    assert made == {"beads": 3, "colours": ["red"]}
    assert json.loads(json.dumps(made)) == made


def test_a_benchmark_may_have_its_own_options(component):
    made = component(
        options="abacus_parts:Options", benchmark_options=(("sum", "abacus_parts:SumOptions"),)
    )
    assert made.validate({"digits": 4}, benchmark="sum") == {"digits": 4}
    assert made.validate({"digits": 4}, benchmark="sum:large") == {"digits": 4}
    assert made.validate({}, benchmark="product")["beads"] == 10
    assert "digits" in made.options_schema("sum")["properties"]


def test_validation_errors_are_pydantics(component):
    with pytest.raises(ValidationError):
        component(options="abacus_parts:Options").validate({"beeds": 3})


def test_without_a_model_every_option_is_refused(component):
    assert component().validate({}) == {}
    with pytest.raises(ValidationError, match="Extra inputs"):
        component().validate({"beads": 3})


def test_an_options_model_that_is_none(component):
    with pytest.raises(PluginError, match="no pydantic model"):
        component(options="abacus_parts:NoModel").validate({})


def test_missing_lists_packages_and_programs(component):
    made = component(
        requires=("packaging>=20", "no-such-abacus", "packaging>=9999"),
        executables=("sh", "no-such-program"),
    )
    missing = {one.name: one for one in made.missing()}
    assert set(missing) == {"no-such-abacus", "packaging>=9999", "no-such-program"}
    assert all(one.remedy for one in missing.values())
    assert len(made.requirements()) == 5


def test_requirement_with_a_marker_for_another_machine_is_met():
    assert check_package('no-such-abacus; sys_platform == "no-such"').met


def test_install_command_keeps_extras_and_quotes():
    assert install_command("Abacus[wood,iron] >=1, <2") == "pip install 'Abacus[iron,wood]<2,>=1'"


def test_a_requirement_that_is_none():
    with pytest.raises(ValueError, match="no PEP 508 requirement"):
        check_package("numpy >> 2")


def test_a_missing_compiler_names_the_system_package(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "build-essential" in check_executable("gcc").remedy
    assert "no-such" in check_executable("no-such").remedy


def test_an_optimizer_has_no_benchmark_options():
    spec = OptimizerSpec(name="coin", factory="x:y", summary="Tosses")
    assert Component(spec, "p").validate({}, benchmark="sum") == {}


def test_a_missing_package_of_an_extra_is_remedied_by_the_extra(component):
    made = component(
        requires=("no-such-abacus>=3", "pytest"), extra="wood", executables=("no-such",)
    )
    package, present, program = made.requirements()
    assert (package.met, package.name) == (False, "no-such-abacus>=3")
    assert package.remedy == "pip install 'abacus-plugin[wood]'"
    assert present.met
    assert not program.met
    assert "abacus-plugin" not in program.remedy
