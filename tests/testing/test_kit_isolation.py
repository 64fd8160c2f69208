"""The kit on an optimizer that draws from global generators and walks through sets of text."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import replace
from pathlib import Path

from daybreak import Isolation, OptimizerSpec
from daybreak.plugin.validation import check_spec

LIBRARY = '''
import random
import numpy as np

class Careless:
    """Proposals depend on global generators and on the order of a set of texts."""

    def __init__(self, problem, options):
        self.space = problem.space
        self.pool = {repr(i) for i in range(50)}

    def ask(self, n=1):
        first = int(next(iter(self.pool)))
        drawn = random.getrandbits(31) ^ int(np.random.randint(2**31))
        return self.space.sample(n, drawn + first)

    def tell(self, trials):
        pass
'''

TEST = """
from daybreak import Isolation, OptimizerSpec
from daybreak.testing import OptimizerConformance

class TestCareless(OptimizerConformance):
    spec = OptimizerSpec(
        name="careless",
        factory="careless_library:Careless",
        summary="Draws from global generators.",
        parameter_types=frozenset({{"ordinal"}}),
        capabilities=frozenset({{"seeded"}}),
        isolation=Isolation.{isolation},
    )
    directly = {directly}
"""


def _outcomes(folder: Path, isolation: str, directly: bool = True) -> dict[str, Counter[str]]:
    """Run the kit; return, by test and place, how often it passed, failed, was skipped."""
    (folder / "careless_library.py").write_text(LIBRARY, encoding="utf-8")
    test = folder / "test_careless.py"
    test.write_text(TEST.format(isolation=isolation, directly=directly), encoding="utf-8")
    report = folder / "report.xml"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(folder)},
        timeout=300,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    found: dict[str, Counter[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name, _, where = case.get("name", "").partition("[")
        place = next((p for p in ("inline", "worker") if where.startswith(p)), "")
        tags = {child.tag for child in case}
        status = (
            "skipped" if "skipped" in tags else "failed" if tags & {"failure", "error"} else "ok"
        )
        found.setdefault(f"{name} {place}".strip(), Counter())[status] += 1
    return found


def test_in_this_process_it_breaks_the_rules(tmp_path: Path) -> None:
    found = _outcomes(tmp_path, "INLINE")
    assert not any(name.endswith(("inline", "worker")) for name in found)
    failed = {name for name, count in found.items() if count["failed"]}
    assert failed == {
        "test_same_seed_same_proposals",
        "test_leaves_the_global_random_state_alone",
    }


def test_in_its_own_process_it_keeps_them(tmp_path: Path) -> None:
    found = _outcomes(tmp_path, "WORKER")
    assert not [name for name, count in found.items() if count["failed"]]
    for name in (
        "test_same_seed_same_proposals worker",
        "test_other_seeds_other_proposals worker",
        "test_resumed_equals_uninterrupted worker",
        "test_takes_failed_trials worker",
        "test_takes_failed_trials inline",
        "test_keeps_to_the_space worker",
        "test_keeps_to_the_space inline",
        "test_does_not_read_the_clock",
    ):
        assert found[name]["ok"], name
    assert "test_same_seed_same_proposals inline" not in found
    assert "test_does_not_read_the_clock worker" not in found


def test_a_library_that_must_not_run_here(tmp_path: Path) -> None:
    found = _outcomes(tmp_path, "WORKER", directly=False)
    assert not [name for name in found if name.endswith("inline")]
    assert found["test_keeps_to_the_space worker"]["ok"]


def test_no_fork_for_an_optimizer() -> None:
    spec = OptimizerSpec(name="x", factory="a:B", summary="x", isolation=Isolation.FORK)
    (problem,) = check_spec("optimizer", spec)
    assert problem.startswith("optimizer 'x': isolation must be Isolation.INLINE or ")
    assert not check_spec("optimizer", replace(spec, isolation=Isolation.WORKER))
