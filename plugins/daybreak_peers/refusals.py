"""What Kernel Tuner, pyATF, OpenTuner and HyperMapper cannot take, said before the run.

Each function is given a benchmark and the validated options, and raises if the library cannot work
on it. A library that is not installed is not asked.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from daybreak import Benchmark, RequirementError, Space, SpaceError, SuiteError, nearest

__all__ = ["hypermapper", "kernel_tuner", "opentuner", "pyatf"]

#: What HyperMapper 2.2.13 runs with: later versions dropped what it calls.
_HYPERMAPPER = ("hypermapper==2.2.13", "numpy<2", "scikit-learn<1.4", "setuptools<81")
_PROBE = (
    "import importlib.metadata as m, json\n"
    "def v(n):\n"
    "    try: return m.version(n)\n"
    "    except m.PackageNotFoundError: return None\n"
    "print(json.dumps({n: v(n) for n in ('hypermapper', 'numpy', 'scikit-learn', 'setuptools')}))"
)


def kernel_tuner(benchmark: Benchmark, options: Mapping[str, Any]) -> None:
    """Check that the feasible configurations can be listed, and the strategy's options.

    Raises:
        SpaceError: there are too many of them.
        SuiteError: the strategy has no such option.
        RequirementError: the strategy needs a package that is missing.
    """
    count, limit = _count(benchmark.space), options["max_configurations"]
    if count is None or count > limit:
        many = "more than can be counted" if count is None else f"{count:,}"
        raise SpaceError(
            f"Kernel Tuner lists every feasible configuration, and there are {many}",
            expected=f"at most {limit:,} (option max_configurations)",
        )
    strategy = options["strategy"]
    if strategy == "skopt" and importlib.util.find_spec("skopt") is None:
        raise RequirementError(
            "the strategy skopt needs the package scikit-optimize",
            remedy="pip install scikit-optimize",
        )
    given = options.get("strategy_options") or {}
    if given and importlib.util.find_spec("kernel_tuner") is not None:
        from daybreak_peers.kernel_tuner_peer import strategy_module

        known = sorted(strategy_module(strategy)._options)
        for name in given:
            if name not in known:
                raise SuiteError(
                    f"the strategy {strategy} has no option '{name}'",
                    field=f"strategy_options.{name}",
                    expected="one of " + ", ".join(known),
                    nearest=nearest(str(name), known),
                )


def pyatf(benchmark: Benchmark, options: Mapping[str, Any]) -> None:
    """Check that pyATF's trees do not grow too large.

    Raises:
        SpaceError: they do.
    """
    limit = options["max_leaves"]
    if _count(benchmark.space) is None:
        raise SpaceError(
            "pyATF lists the combinations of linked parameters, and they are too many",
            expected=f"at most {limit:,} (option max_leaves)",
        )
    leaves = benchmark.space.leaf_counts()
    if sum(leaves.values()) > limit:
        largest = max(leaves, key=leaves.__getitem__)
        raise SpaceError(
            f"pyATF would build trees of {sum(leaves.values()):,} leaves, the largest over "
            + ", ".join(largest),
            expected=f"at most {limit:,} (option max_leaves)",
        )


def opentuner(_benchmark: Benchmark, options: Mapping[str, Any]) -> None:
    """Check the technique's name.

    Raises:
        SuiteError: OpenTuner has no such technique.
    """
    if importlib.util.find_spec("opentuner") is None:
        return
    from daybreak_peers.opentuner_peer import technique_names

    known, name = technique_names(), options["technique"]
    if name not in known:
        raise SuiteError(
            f"OpenTuner has no technique '{name}'",
            field="technique",
            expected="one of " + ", ".join(known),
            nearest=nearest(name, known),
        )


def hypermapper(_benchmark: Benchmark, options: Mapping[str, Any]) -> None:
    """Check that the interpreter has HyperMapper and the versions that it runs with.

    Raises:
        RequirementError: it has not.
    """
    python = os.path.expanduser(options.get("python") or sys.executable)
    found = _installed(python)
    wanted = " ".join(f"'{requirement}'" for requirement in _HYPERMAPPER)
    remedy = (
        f"python3.11 -m venv hm && hm/bin/pip install {wanted}, "
        "and the option python: hm/bin/python"
    )
    if found is None:
        raise RequirementError(
            f"'{python}' is no interpreter that can be started", field="python", remedy=remedy
        )
    from packaging.requirements import Requirement

    for text in _HYPERMAPPER:
        requirement = Requirement(text)
        version = found.get(requirement.name)
        if version is None or not requirement.specifier.contains(version):
            have = "is not installed" if version is None else f"is {version}"
            raise RequirementError(
                f"HyperMapper needs {text}; in the environment of '{python}' it {have}",
                field="python",
                remedy=remedy,
            )


@functools.cache
def _installed(python: str) -> dict[str, str | None] | None:
    try:
        done = subprocess.run(
            [python, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=True
        )
        found: dict[str, str | None] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return found


def _count(space: Space) -> int | None:
    try:
        return space.count()
    except SpaceError:
        return None
