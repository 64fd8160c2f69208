"""Every deliberately broken component fails exactly its own rule of the conformance kit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path

import pytest

from daybreak.testing import write_distribution

BROKEN = Path(__file__).parents[1] / "plugin" / "broken"
CATALOGUE = tomllib.loads((BROKEN / "catalogue.toml").read_text(encoding="utf-8"))["kit"]
#: tests that start a process for every component, which is what takes the time
PROCESSES = (
    "test_listing_imports_nothing_heavy",
    "test_every_dotted_path_can_be_imported",
    "test_identity_is_the_same_in_every_process",
    "test_same_seed_same_proposals",
)
GOOD = ("KitWalker", "KitAdderInline", "KitAdderWorker", "KitTrainer", "KitAdderFork")


def words(rule: str) -> str:
    return "".join(word.capitalize() for word in rule.split("_"))


def run_kit(site: Path, plugins: list[str], work: Path, select: str) -> dict[str, dict[str, str]]:
    """Run the kit in its zero-code mode; return class -> test -> passed, failed or skipped."""
    work.mkdir()
    report = work / "report.xml"
    command = [sys.executable, "-m", "pytest", "--pyargs", "daybreak.testing", "-q", "--tb=short"]
    command += ["-p", "no:cacheprovider", f"--junitxml={report}", "-k", select]
    command += [argument for name in plugins for argument in ("--daybreak-plugin", name)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(site)},
        timeout=1500,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    found: dict[str, dict[str, str]] = defaultdict(dict)
    order = {"passed": 0, "skipped": 1, "failed": 2}
    for case in ElementTree.parse(report).iter("testcase"):
        owner = case.get("classname", "").rpartition(".")[2]
        name = case.get("name", "").partition("[")[0]
        children = {child.tag for child in case}
        status = "passed"
        if "skipped" in children:
            status = "skipped"
        if children & {"failure", "error"}:
            status = "failed"
        before = found[owner].get(name, "passed")
        found[owner][name] = max(before, status, key=order.__getitem__)
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Install a distribution for every component."""
    folder = tmp_path_factory.mktemp("kit") / "site"
    shutil.copytree(BROKEN / "broken_parts", folder / "broken_parts")
    for name in ("kit_good", *CATALOGUE):
        write_distribution(
            folder,
            name.replace("_", "-"),
            plugins={name: name},
            modules={f"{name}.py": (BROKEN / f"{name}.py").read_text(encoding="utf-8")},
        )
    return folder


@pytest.fixture(scope="module")
def reports(site, tmp_path_factory):
    """Hold all to their contracts in one go; a test that starts processes only its own breaker."""
    own = [
        f"({words(rule)} and {entry['fails']})"
        for rule, entry in CATALOGUE.items()
        if entry["fails"] in PROCESSES
    ]
    select = f"(not KitAdderFork and not ({' or '.join(PROCESSES)})) or {' or '.join(own)}"
    work = tmp_path_factory.mktemp("fast") / "work"
    return run_kit(site, ["kit_good", *CATALOGUE], work, select)


@pytest.fixture(scope="module")
def full_reports(site, tmp_path_factory):
    """Hold all to everything."""
    work = tmp_path_factory.mktemp("full") / "work"
    return run_kit(site, ["kit_good", *CATALOGUE], work, "test")


def class_of(rule: str, reports: dict[str, dict[str, str]]) -> dict[str, str]:
    for kind in ("Optimizer", "Target"):
        if f"Test{kind}{words(rule)}" in reports:
            return reports[f"Test{kind}{words(rule)}"]
    raise AssertionError(f"{rule}: not among {sorted(reports)}")


def failing(tests: dict[str, str]) -> set[str]:
    return {name for name, status in tests.items() if status == "failed"}


@pytest.mark.parametrize("rule", CATALOGUE)
def test_it_fails_exactly_its_own_rule(reports, rule):
    tests = class_of(rule, reports)
    assert failing(tests) == {CATALOGUE[rule]["fails"]}
    assert sum(status == "passed" for status in tests.values()) >= 4


@pytest.mark.parametrize("name", GOOD[:4])
def test_a_good_component_fails_nothing(reports, name):
    tests = class_of_good(name, reports)
    assert failing(tests) == set()
    if name == "KitAdderWorker":
        assert tests["test_faults_are_classified"] == "passed"
        assert tests["test_wrong_results_are_rejected"] == "passed"
    if name == "KitTrainer":
        assert tests["test_seed_changes_the_curve"] == "passed"
        assert tests["test_same_seed_repeats_the_curve"] == "passed"
        assert tests["test_conclusion_is_repeatable"] == "passed"


def class_of_good(name: str, reports: dict[str, dict[str, str]]) -> dict[str, str]:
    return next(tests for owner, tests in reports.items() if owner.endswith(name))


def test_every_rule_has_its_broken_component(reports):
    """A test of the kit that nothing in the folder fails is a test nobody has seen failing."""
    rules = {entry["fails"] for entry in CATALOGUE.values()}
    tests = {*class_of_good("KitWalker", reports), *class_of_good("KitAdderWorker", reports)}
    assert (tests | set(PROCESSES)) - rules == {
        # the loader refuses such a spec before the kit sees it
        "test_spec_is_well_formed",
        # a component that cannot be imported, or takes no space, fails nearly everything
        "test_every_dotted_path_can_be_imported",
        "test_it_takes_some_problem",
        # a space that cannot be sampled fails nearly everything
        "test_space_can_be_sampled",
    }


@pytest.mark.slow
def test_all_components_against_all_rules(full_reports):
    for rule, entry in CATALOGUE.items():
        assert failing(class_of(rule, full_reports)) == {entry["fails"]}, rule
    for name in GOOD:
        assert failing(class_of_good(name, full_reports)) == set(), name
