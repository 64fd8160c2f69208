"""A plugin ends with a status; a broken one stops no other."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from daybreak.errors import PluginError, UserError
from daybreak.plugin import PluginStatus, load_plugins

BROKEN = Path(__file__).parent / "broken"
CATALOGUE = tomllib.loads((BROKEN / "catalogue.toml").read_text(encoding="utf-8"))


def record_of(registry, name):
    return next(record for record in registry.plugins if record.name == name)


def install_rule(site, rule):
    entry = CATALOGUE["loader"][rule]
    more = {"requires": entry.get("requires", ())}
    if rule == "missing_own_module":
        more["plugins"] = {rule: f"{rule}_gone"}
    site(rule, **more)
    return entry


@pytest.mark.parametrize("rule", CATALOGUE["loader"])
def test_broken_plugin_gets_its_status_and_the_good_one_works(site, rule):
    site("good", distribution="aaa-good")
    entry = install_rule(site, rule)
    registry = load_plugins()
    record = record_of(registry, rule)
    assert record.status == entry["status"], record
    assert entry["reason"] in record.reason
    assert record.remedy
    assert entry.get("remedy", "") in record.remedy
    assert record.load_ms >= 0
    assert record_of(registry, "good").status is PluginStatus.OK
    assert registry.get("optimizer", "good-coin").plugin == "good"
    broken_own = [one for one in registry.broken if one.distribution.startswith("broken-")]
    assert broken_own == [record]


def test_a_broken_plugin_leaves_no_component_and_no_observer_behind(site):
    site("twice_in_one_plugin")
    site("unknown_argument")
    registry = load_plugins()
    assert "twin" not in registry.components("target")
    assert registry.implementations("daybreak_trial_finished") == []


def test_all_broken_plugins_at_once(site):
    site("good", distribution="aaa-good")
    for rule in CATALOGUE["loader"]:
        install_rule(site, rule)
    registry = load_plugins()
    for rule, entry in CATALOGUE["loader"].items():
        assert record_of(registry, rule).status == entry["status"], rule
    assert set(registry.components("optimizer")) >= {"good-coin"}


def test_keyboard_interrupt_at_import_goes_through(site):
    site("good", distribution="zzz", modules={"good.py": "raise KeyboardInterrupt"})
    with pytest.raises(KeyboardInterrupt):
        load_plugins()


def test_duplicate_component_names_both_distributions_and_how_to_choose(site, monkeypatch):
    site("good", distribution="aaa-good")
    site("duplicate_name")
    record = record_of(load_plugins(), "duplicate_name")
    assert "aaa-good 1.0" in record.reason
    assert "broken-duplicate-name 1.0" in record.reason
    assert "DAYBREAK_DISABLE_PLUGINS=good" in record.remedy
    monkeypatch.setenv("DAYBREAK_DISABLE_PLUGINS", "good")
    registry = load_plugins()
    assert registry.get("optimizer", "good-coin").plugin == "duplicate_name"


def test_daybreaks_own_components_win_over_an_earlier_name(site):
    """A distribution that sorts before `daybreak` cannot take over one of its names."""
    source = (BROKEN / "good.py").read_text(encoding="utf-8").replace("good-coin", "random")
    site("good", distribution="aaa-good", modules={"good.py": source})
    registry = load_plugins()
    assert registry.get("optimizer", "random").distribution == "daybreak"
    assert record_of(registry, "good").status is PluginStatus.HOOK_ERROR


def test_two_distributions_with_one_entry_point_name(site):
    site("good", distribution="aaa-good")
    site("good", distribution="bbb-good", version="2.0")
    records = [record for record in load_plugins().plugins if record.name == "good"]
    assert [record.status for record in records] == ["ok", "hook-error"]
    assert "aaa-good 1.0 and bbb-good 2.0" in records[1].reason


def test_plugins_come_by_distribution_and_name_after_daybreaks_own(site):
    write = {"b": "good", "a": "good2"}
    source = (BROKEN / "noisy_import.py").read_text(encoding="utf-8")
    site(
        "good",
        distribution="aaa",
        plugins=write,
        modules={"good.py": source, "good2.py": source.replace("noisy", "other")},
    )
    records = load_plugins().plugins
    own = [record for record in records if record.distribution == "daybreak"]
    assert list(records[: len(own)]) == own
    assert [record.name for record in records[len(own) :]] == ["a", "b"]


def test_blocked_by_name(site, monkeypatch):
    site("good", distribution="aaa-good")
    site("import_error")
    monkeypatch.setenv("DAYBREAK_DISABLE_PLUGINS", "import_error, random")
    registry = load_plugins()
    assert record_of(registry, "import_error").status is PluginStatus.BLOCKED
    assert "DAYBREAK_DISABLE_PLUGINS" in record_of(registry, "import_error").reason
    assert "random" not in registry.components("optimizer")
    assert record_of(registry, "import_error") not in registry.broken
    assert "import_error" not in sys.modules


def test_only_the_named_plugins(site, monkeypatch):
    site("good", distribution="aaa-good")
    monkeypatch.setenv("DAYBREAK_PLUGINS", "good")
    registry = load_plugins()
    assert set(registry.components("optimizer")) == {"good-coin"}
    assert {record.status for record in registry.plugins} == {"ok", "blocked"}


def test_naming_a_plugin_that_is_not_installed_is_the_users_fault(site, monkeypatch):
    site("good", distribution="aaa-good")
    monkeypatch.setenv("DAYBREAK_PLUGINS", "godo")
    with pytest.raises(UserError, match="did you mean: good"):
        load_plugins()


def test_without_autoload_only_daybreaks_own_are_loaded(site, monkeypatch):
    site("good", distribution="aaa-good")
    monkeypatch.setenv("DAYBREAK_DISABLE_PLUGIN_AUTOLOAD", "1")
    registry = load_plugins()
    assert record_of(registry, "good").status is PluginStatus.BLOCKED
    assert "random" in registry.components("optimizer")


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_strict_makes_a_broken_plugin_fatal(site, monkeypatch, how):
    monkeypatch.setenv("DAYBREAK_DISABLE_PLUGINS", "random,taco")
    site("import_error")
    if how == "environment":
        monkeypatch.setenv("DAYBREAK_STRICT_PLUGINS", "1")
    with pytest.raises(PluginError, match="import-error: importing 'import_error' raised"):
        load_plugins(strict=True if how == "argument" else None)
    assert load_plugins(strict=False).broken


def test_strict_is_content_with_blocked_plugins(site, monkeypatch):
    site("import_error")
    monkeypatch.setenv("DAYBREAK_DISABLE_PLUGINS", "import_error,random,taco")
    assert load_plugins(strict=True).broken == ()


def test_unreadable_entry_points_of_one_distribution_stop_no_other(site):
    site("good", distribution="aaa-good")
    folder = site("good", distribution="mangled", plugins={})
    text = "[daybreak.plugins]\nthis line is no entry\n= neither is this\n"
    (folder / "mangled-1.0.dist-info" / "entry_points.txt").write_text(text, encoding="utf-8")
    registry = load_plugins()
    assert "good-coin" in registry.components("optimizer")
    record = next(one for one in registry.plugins if one.distribution == "mangled")
    assert record.status is PluginStatus.IMPORT_ERROR
    assert "entry_points.txt cannot be read" in record.reason
    assert "reinstall mangled" in record.remedy


def test_metadata_that_cannot_be_parsed_is_reported(site):
    site("good", distribution="aaa-good", requires=["daybreak >>> 1"])
    # not readable as a requirement, so it cannot speak against the plugin
    assert record_of(load_plugins(), "good").status is PluginStatus.OK


@pytest.mark.parametrize(
    ("requires", "status"),
    [
        ("daybreak>=0.1", "ok"),
        ("daybreak>=0.1,<99", "ok"),
        ("Daybreak<0.0.1", "incompatible"),
        ('daybreak>=99; sys_platform == "no-such"', "ok"),
        ('daybreak>=99; extra == "later"', "ok"),
    ],
)
def test_requires_dist_is_checked_before_import(site, requires, status):
    site("good", distribution="aaa-good", requires=[requires])
    assert record_of(load_plugins(), "good").status == status
    assert ("good" in sys.modules) == (status == "ok")


def test_missing_api_constant_is_taken_as_the_first(site):
    source = (BROKEN / "good.py").read_text(encoding="utf-8").replace("DAYBREAK_API", "OTHER")
    site("good", distribution="aaa-good", modules={"good.py": source})
    record = record_of(load_plugins(), "good")
    assert record.status is PluginStatus.OK
    assert "no DAYBREAK_API" in record.reason


def test_a_class_as_entry_is_refused_and_an_instance_taken(site):
    source = """
from daybreak.plugin import hookimpl

class Plugin:
    @hookimpl
    def daybreak_run_started(self, run):
        pass

instance = Plugin()
"""
    site("good", distribution="a", plugins={"cls": "good:Plugin"}, modules={"good.py": source})
    site("good", distribution="b", plugins={"obj": "good:instance"}, modules={})
    registry = load_plugins()
    assert record_of(registry, "cls").status is PluginStatus.HOOK_ERROR
    assert record_of(registry, "obj").status is PluginStatus.OK
    assert registry.implementations("daybreak_run_started") == ["obj"]


def test_two_entry_points_for_one_module(site):
    site("good", distribution="aaa-good", plugins={"good": "good", "again": "good"})
    registry = load_plugins()
    statuses = {record.name: record.status for record in registry.plugins}
    assert statuses["again"] == "ok"
    assert statuses["good"] == "hook-error"
    assert "plugin 'again' names the same module 'good'" in record_of(registry, "good").reason


def test_a_module_that_raises_when_it_is_looked_at_stops_no_other(site):
    source = "def __dir__():\n    raise ValueError('do not look')\n"
    site("good", distribution="aaa", plugins={"shy": "shy"}, modules={"shy.py": source})
    site("good", distribution="bbb")
    registry = load_plugins()
    record = record_of(registry, "shy")
    assert record.status is PluginStatus.HOOK_ERROR
    assert "do not look" in record.reason
    assert "do not look" in record.traceback
    assert "good-coin" in registry.components("optimizer")


def test_hooks_are_recorded_in_life_cycle_order(site):
    site("good", distribution="aaa-good")
    record = record_of(load_plugins(), "good")
    assert record.hooks == ("daybreak_register_optimizers", "daybreak_trial_finished")
    assert record.source == "aaa-good 1.0"


def test_printing_at_import_does_not_reach_standard_output(site, capsys):
    site("noisy_import")
    registry = load_plugins()
    assert "noisy" in registry.components("target")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "hello from a plugin" in captured.err


def test_loading_twice_gives_equal_registries(site):
    site("good", distribution="aaa-good")
    first, second = load_plugins(), load_plugins()
    assert first.components("optimizer") == second.components("optimizer")
    assert [record.status for record in first.plugins] == [one.status for one in second.plugins]


def test_loading_imports_nothing_heavy():
    code = (
        "import json, sys\n"
        "from daybreak.plugin import load_plugins\n"
        "load_plugins()\n"
        "heavy = ('duckdb', 'pandas', 'numpy', 'pydantic', 'pyarrow', 'scipy')\n"
        "print(json.dumps([name for name in heavy if name in sys.modules]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
