"""The commands about plugins, targets, optimizers, benchmarks, and the doctor."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from daybreak.cli import main

ABACUS_PLUGIN = """
from daybreak import Isolation, OptimizerSpec, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name="abacus",
            factory="abacus_parts:Abacus",
            summary="Sums computed by hand",
            options="abacus_parts:Options",
            isolation=Isolation.INLINE,
            requires=(REQUIRES),
        ),
        TargetSpec(name="bare", factory="abacus_parts:Bare", summary="Cannot set itself up"),
    ]


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="clerk",
            factory="FACTORY",
            summary="Tries what comes to mind",
            capabilities=frozenset({"seeded"}),
            accepts=ACCEPTS,
        )
    ]
"""
ABACUS_PARTS = """
import enum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from daybreak import (
    Benchmark, Categorical, Integer, Metric, Ordinal, Permutation, Program, Real, Reference,
    Requirement, Space,
)


ABACUS = "no function"


class Wood(enum.Enum):
    OAK = "oak"
    ELM = "elm"


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    beads: int = Field(default=10, ge=1, le=100, description="Beads on a wire.")
    wood: Wood = Wood.OAK
    wires: list[int] | None = None
    mode: Literal["add", "subtract"] = "add"


class Abacus:
    def benchmarks(self):
        return [self.define("sum", {"beads": 10}), self.define("product", {"beads": 10})]

    def define(self, name, options):
        return Benchmark(
            name=name,
            instance=f"b{options['beads']}",
            space=Space(
                [
                    Ordinal("chunk", (1, 2, 4), log=True, default=2),
                    Permutation("order", 3),
                    Integer("hands", 1, 2),
                    Categorical("mood", ("calm", "brisk")),
                ],
                ["chunk > 1 or hands == 1"],
            ),
            objectives=(Metric("time", "s"),),
            metrics=(Metric("sweat", "ml"),),
            references=(
                Reference(
                    "default",
                    {"chunk": 2, "order": (0, 1, 2), "hands": 1, "mood": "calm"},
                    source="the manual",
                ),
                Reference("machine", {"motor": 1}, in_space=False, note="not by hand"),
            ),
            summary=f"the {name} of many numbers",
            options=dict(options),
            notes=("Mood changes nothing.",),
        )

    def check(self):
        return [
            Requirement("wood", met=True, detail="oak"),
            Requirement("beads", met=BEADS, detail="sold out", remedy="daybreak targets setup abacus"),
        ]

    def open(self, benchmark):
        raise NotImplementedError

    def setup(self, progress, *, force=False):
        progress(None, "felling a tree")
        progress(0.5, "carving")
        progress(0.5, "carving")
        progress(1.0, "done")
        return f"the abacus stands on the shelf (force={force})"


class Bare(Abacus):
    setup = None

    def benchmarks(self):
        raise ZeroDivisionError("no beads")


class Clerk:
    def __init__(self, problem, options):
        pass
"""


@pytest.fixture
def cli(site, capsys, monkeypatch):
    """Return a function that runs a command and returns exit code, output and errors."""
    # tables as wide as they need to be, whatever terminal the tests run in
    monkeypatch.setenv("COLUMNS", "250")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["daybreak", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def abacus(site):
    def install(
        *,
        requires: str = "",
        factory: str = "abacus_parts:Clerk",
        accepts: str | None = None,
        beads: bool = True,
    ):
        plugin = ABACUS_PLUGIN.replace("REQUIRES", requires).replace("FACTORY", factory)
        plugin = plugin.replace("ACCEPTS", repr(accepts))
        parts = ABACUS_PARTS.replace("met=BEADS", f"met={beads}")
        site(
            "good",
            distribution="daybreak-abacus",
            version="2.0",
            plugins={"abacus": "abacus_plugin"},
            modules={"abacus_plugin.py": plugin, "abacus_parts.py": parts},
        )

    return install


class TestPlugins:
    def test_list_shows_status_and_remedy(self, cli, abacus, site):
        abacus()
        site("import_error")
        code, out, err = cli("plugins", "list")
        assert code == 0
        assert "target abacus, target bare, optimizer clerk" in out
        assert "import-error" in out
        assert "import_error: importing 'import_error' raised RuntimeError" in err
        assert "remedy:" in err

    def test_list_as_json(self, cli, abacus):
        abacus()
        code, out, _ = cli("plugins", "list", "--json")
        record = next(one for one in json.loads(out) if one["name"] == "abacus")
        assert code == 0
        assert record["version"] == "2.0"
        assert record["components"]["optimizer"] == ["clerk"]
        assert record["load_ms"] > 0

    def test_list_all_shows_the_blocked(self, cli, abacus, monkeypatch):
        abacus()
        monkeypatch.setenv("DAYBREAK_DISABLE_PLUGINS", "abacus")
        assert "abacus" not in cli("plugins", "list")[1]
        code, out, _ = cli("plugins", "list", "--all")
        assert code == 0
        assert "blocked" in out

    def test_list_by_hook(self, cli, abacus):
        abacus()
        out = cli("plugins", "list", "--hook", "daybreak_register_targets", "--json")[1]
        names = {one["name"] for one in json.loads(out)}
        assert "abacus" in names
        assert "random" not in names

    def test_list_by_a_hook_that_is_none(self, cli):
        code, _, err = cli("plugins", "list", "--hook", "daybreak_register_target")
        assert code == 2
        assert "did you mean: daybreak_register_targets" in err

    def test_strict(self, cli, site):
        site("import_error")
        code, _, err = cli("plugins", "list", "--strict-plugins")
        assert code == 1
        assert "plugin 'import_error'" in err

    def test_show_a_broken_one_with_its_traceback(self, cli, site):
        site("import_error")
        code, out, _ = cli("plugins", "show", "import_error")
        assert code == 0
        assert "RuntimeError: the abacus is broken" in out
        assert "import_error.py" in out

    def test_show_a_good_one(self, cli, abacus):
        abacus()
        out = cli("plugins", "show", "abacus")[1]
        assert "abacus_parts:Abacus" in out
        shown = json.loads(cli("plugins", "show", "abacus", "--json")[1])
        assert [one["kind"] for one in shown["components"]] == ["target", "target", "optimizer"]

    def test_show_an_unknown_one(self, cli, abacus):
        abacus()
        code, _, err = cli("plugins", "show", "abakus")
        assert code == 2
        assert "did you mean: abacus" in err

    def test_doctor_finds_a_broken_factory(self, cli, abacus):
        abacus(factory="abacus_parts:Gone")
        code, out, _ = cli("plugins", "doctor", "--json")
        assert code == 1
        found = {(one["plugin"], one["checked"]): one for one in json.loads(out)}
        clerk = found["abacus", "optimizer clerk"]
        assert "AttributeError" in clerk["result"]
        assert "report it to the authors of daybreak-abacus 2.0" in clerk["remedy"]
        assert found["abacus", "target abacus"]["ok"]

    @pytest.mark.parametrize(
        ("accepts", "words"),
        [
            ("abacus_parts:Gone", "'abacus_parts:Gone': AttributeError"),
            ("no_such_parts:accepts", "ModuleNotFoundError"),
            ("abacus_parts:ABACUS", "accepts 'abacus_parts:ABACUS' is not callable"),
        ],
    )
    def test_doctor_finds_a_broken_check_of_benchmarks(self, cli, abacus, accepts, words):
        abacus(accepts=accepts)
        code, out, _ = cli("plugins", "doctor", "--json")
        assert code == 1
        found = {(one["plugin"], one["checked"]): one for one in json.loads(out)}
        assert words in found["abacus", "optimizer clerk"]["result"]
        assert found["abacus", "target abacus"]["ok"]

    def test_doctor_finds_a_missing_requirement(self, cli, abacus):
        abacus(requires='"no-such-abacus>=3",')
        code, out, _ = cli("plugins", "doctor")
        assert code == 1
        assert "no-such-abacus>=3: not installed" in out
        assert "pip install 'no-such-abacus>=3'" in out

    @pytest.mark.parametrize(
        ("source", "words"),
        [
            ("import time; time.sleep(600)", "did not end within 3 s"),
            ("import os; os._exit(9)", "ended the process (9)"),
            ("raise SystemExit(4)", "SystemExit: 4"),
            ("print('{}')\nClerk = 3", "is not callable"),
        ],
    )
    def test_doctor_survives_what_an_import_does(self, cli, abacus, site, source, words):
        abacus(factory="nasty_parts:Clerk")
        site("good", distribution="daybreak-nasty", plugins={}, modules={"nasty_parts.py": source})
        code, out, _ = cli("plugins", "doctor", "--json", "--timeout", "3")
        assert code == 1
        found = [one["result"] for one in json.loads(out) if one["checked"] == "optimizer clerk"]
        assert words in found[0]

    def test_doctor_is_content(self, cli, abacus, monkeypatch):
        abacus()
        monkeypatch.setenv("DAYBREAK_PLUGINS", "abacus")
        code, out, err = cli("plugins", "doctor")
        assert code == 0, out
        assert "checking abacus" in err

    def test_new_says_what_to_do_next(self, cli, tmp_path):
        code, out, err = cli("plugins", "new", "target", str(tmp_path / "daybreak-beads"))
        assert code == 0
        assert "src/daybreak_beads/target.py" in out
        assert "daybreak targets show beads" in err

    def test_new_of_an_unknown_kind(self, cli, tmp_path):
        code, _, err = cli("plugins", "new", "targte", str(tmp_path / "daybreak-beads"))
        assert code == 2
        assert "did you mean: target" in err

    @pytest.mark.parametrize(
        ("call", "heavy"),
        [
            # what our own code imports
            (
                "from daybreak.cli.plugins import _list; _list(as_json=True, hook=None)",
                {"duckdb", "pandas", "numpy", "pydantic", "pyarrow", "scipy"},
            ),
            # some versions of typer import pydantic to read the command line
            (
                "sys.argv = ['daybreak', 'plugins', 'list', '--json']\n"
                "from daybreak.cli import main; main()",
                {"duckdb", "pandas", "numpy", "pyarrow", "scipy"},
            ),
        ],
        ids=["command", "command-line"],
    )
    def test_listing_imports_nothing_heavy(self, call, heavy):
        code = (
            "import sys\ntry:\n"
            + "".join(f"    {line}\n" for line in call.splitlines())
            + "except SystemExit:\n    pass\n"
            + f"sys.stderr.write(' '.join(sorted({heavy!r} & set(sys.modules))))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout)
        assert done.stderr == ""


class TestTargets:
    def test_list(self, cli, abacus):
        abacus(requires='"no-such-abacus",')
        rows = json.loads(cli("targets", "list", "--json")[1])
        row = next(one for one in rows if one["name"] == "abacus")
        assert row["missing"] == ["no-such-abacus"]
        assert row["isolation"] == "inline"
        assert "no-such-abacus" in cli("targets", "list")[1]

    def test_list_warns_of_broken_plugins(self, cli, site):
        site("import_error")
        assert "plugin 'import_error' is import-error" in cli("targets", "list")[2]

    def test_show(self, cli, abacus):
        abacus(beads=False)
        code, out, _ = cli("targets", "show", "abacus")
        assert code == 0
        assert "abacus/product" in out
        assert "sold out" in out
        assert "daybreak targets setup abacus" in out
        shown = json.loads(cli("targets", "show", "abacus", "--json")[1])
        assert [one["met"] for one in shown["requirements"]] == ["yes", "no"]

    def test_an_unknown_target(self, cli, abacus):
        abacus()
        code, _, err = cli("targets", "show", "abakus")
        assert code == 2
        assert "did you mean: abacus" in err
        assert "daybreak targets list" in err

    @pytest.mark.parametrize("force", [False, True])
    def test_setup_tells_each_step_once(self, cli, abacus, force):
        abacus()
        code, out, err = cli("targets", "setup", "abacus", *(["--force"] if force else []))
        assert code == 0
        assert out.strip() == f"the abacus stands on the shelf (force={force})"
        assert err.splitlines() == ["felling a tree", "carving", "done"]

    def test_setup_of_a_target_that_cannot(self, cli, abacus, site):
        abacus()
        site(
            "good",
            distribution="daybreak-inert",
            plugins={"inert": "inert_plugin"},
            modules={
                "inert_plugin.py": (
                    "from daybreak import TargetSpec, hookimpl\n"
                    "@hookimpl\n"
                    "def daybreak_register_targets():\n"
                    "    return [TargetSpec(name='inert', factory='inert_parts:Inert',\n"
                    "                       summary='Needs nothing'),\n"
                    "            TargetSpec(name='poor', factory='inert_parts:Poor',\n"
                    "                       summary='Lacks something')]\n"
                ),
                "inert_parts.py": (
                    "from daybreak import Requirement\n"
                    "class Inert:\n"
                    "    def check(self): return []\n"
                    "class Poor:\n"
                    "    def check(self):\n"
                    "        return [Requirement('wood', False, 'none left', 'plant a tree')]\n"
                ),
            },
        )
        code, _, err = cli("targets", "setup", "inert")
        assert code == 0
        assert "needs no setting up" in err
        code, _, err = cli("targets", "setup", "poor")
        assert code == 2
        assert "wood: none left" in err
        assert "plant a tree" in err


class TestOptimizers:
    def test_list_and_show(self, cli, abacus):
        abacus()
        assert "Tries what comes to mind" in cli("optimizers", "list")[1]
        out = cli("optimizers", "show", "clerk")[1]
        assert "It takes no options." in out
        shown = json.loads(cli("optimizers", "show", "grid", "--json")[1])
        assert "order" in shown["options_schema"]["properties"]

    def test_options_are_described(self, cli):
        out = cli("optimizers", "show", "grid")[1]
        assert '"spread" | "lexicographic"' in out

    def test_an_unknown_optimizer(self, cli):
        code, _, err = cli("optimizers", "show", "rnadom")
        assert code == 2
        assert "did you mean: random" in err


class TestBenchmarks:
    def test_list_goes_on_past_a_target_that_raises(self, cli, abacus):
        abacus()
        code, out, err = cli("benchmarks", "list", "--json")
        assert code == 0
        names = [one["benchmark"] for one in json.loads(out)]
        assert {"abacus/sum", "abacus/product"} <= set(names)
        assert "target 'bare' lists no benchmarks: ZeroDivisionError: no beads" in err

    def test_show(self, cli, abacus):
        abacus()
        code, out, _ = cli("benchmarks", "show", "abacus/sum", "-o", "beads=7", "-o", "wood=elm")
        assert code == 0
        assert "abacus/sum:b7" in out
        assert "minimize time [s]" in out
        assert "orders of 0 .. 2" in out
        assert "constraint: chunk > 1 or hands == 1" in out
        assert "reference machine (outside the space): motor=1" in out
        assert "the manual" in out
        assert "Mood changes nothing." in out
        assert "integer >= 1 <= 100" in out
        assert '"oak" | "elm"' in out
        assert "list of integer or null" in out

    def test_show_as_json(self, cli, abacus):
        abacus()
        shown = json.loads(cli("benchmarks", "show", "abacus/sum", "--json")[1])
        assert shown["configurations"] == 3 * 6 * 2 * 2
        assert shown["feasible"] == (2 * 2 + 1) * 6 * 2
        assert shown["references"][1]["in_space"] is False
        assert shown["space"]["parameters"]

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["abacus/smu"], "did you mean: abacus/sum"),
            (["abacus"], "has no benchmark ''"),
            (["abakus/sum"], "did you mean: abacus"),
            (["abacus/sum", "-o", "beeds=3"], "did you mean: beads"),
            (["abacus/sum", "-o", "beads=many"], "option beads"),
            (["abacus/sum", "-o", "beads=0"], "greater than or equal to 1"),
            (["abacus/sum", "-o", "beads"], "not of the form KEY=VALUE"),
            (["abacus/sum", "-o", "beads=["], "no YAML value"),
        ],
    )
    def test_what_is_wrong_is_said(self, cli, abacus, arguments, words):
        abacus()
        code, _, err = cli("benchmarks", "show", *arguments)
        assert code == 2
        assert words in err


class TestDoctor:
    def test_it_names_what_is_missing_and_the_command(self, cli, abacus, monkeypatch):
        abacus(beads=False)
        monkeypatch.setenv("DAYBREAK_PLUGINS", "abacus")
        code, out, err = cli("doctor")
        assert code == 2
        assert "sold out" in out
        assert "daybreak targets setup abacus" in out
        assert "missing" in err

    def test_json_holds_everything(self, cli, abacus, monkeypatch):
        abacus(requires='"no-such-abacus",')
        monkeypatch.setenv("DAYBREAK_PLUGINS", "abacus")
        code, out, _ = cli("doctor", "--json")
        assert code == 2
        items = json.loads(out)
        assert {"daybreak", "compilers", "sandbox", "target abacus"} <= {
            one["area"] for one in items
        }
        unmet = [one for one in items if one["needed"] and not one["met"]]
        assert [one["name"] for one in unmet if one["area"] == "target abacus"] == [
            "no-such-abacus"
        ]
        assert all(one["remedy"] for one in unmet)

    def test_a_broken_plugin_must_be_mended(self, cli, site, monkeypatch):
        site("import_error")
        monkeypatch.setenv("DAYBREAK_PLUGINS", "import_error")
        code, out, _ = cli("doctor")
        assert code == 2
        assert "plugin import_error" in out

    def test_nothing_missing(self, cli, monkeypatch):
        monkeypatch.setenv("DAYBREAK_PLUGINS", "random")
        code, out, err = cli("doctor", "--all")
        assert code == 0, out + err
        assert "pluggy" in out
        assert "nothing that is needed is missing" in err


@pytest.mark.parametrize(
    "command",
    [
        ["plugins", "list"],
        ["plugins", "show"],
        ["plugins", "doctor"],
        ["plugins", "new"],
        ["targets", "list"],
        ["targets", "show"],
        ["targets", "setup"],
        ["optimizers", "list"],
        ["optimizers", "show"],
        ["benchmarks", "list"],
        ["benchmarks", "show"],
        ["doctor"],
    ],
)
def test_every_help_has_an_example(cli, command):
    code, out, _ = cli(*command, "--help")
    assert code == 0
    assert "Example: daybreak " + " ".join(command) in " ".join(out.split())
