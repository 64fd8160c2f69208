"""What the kit asks another Python process: ``python -m daybreak.testing.probe`` reads a question.

The question is a JSON object on standard input; the answer is the last line of standard output.
A process of its own shows what a listing imports, and whether names and choices are the same
under another hash seed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from daybreak.plugin import Component, OptimizerSpec, TargetSpec
from daybreak.plugin.specs import Isolation

__all__ = ["HEAVY", "ask_process", "describe_component"]

#: top-level modules that listing components must not import
HEAVY = frozenset(
    {
        "cupy",
        "duckdb",
        "jax",
        "matplotlib",
        "numba",
        "numpy",
        "optuna",
        "pandas",
        "pyarrow",
        "pydantic",
        "scipy",
        "sklearn",
        "sympy",
        "tensorflow",
        "torch",
        "triton",
    }
)


def ask_process(
    question: str,
    arguments: Mapping[str, Any],
    *,
    hash_seed: int = 0,
    timeout_s: float = 120.0,
    environment: Mapping[str, str] | None = None,
) -> Any:
    """Ask a fresh Python process and return its answer.

    It gets this process's ``sys.path`` and a temporary folder to work in.

    Raises:
        AssertionError: it failed or took longer than `timeout_s`; the message holds the end of
            what it printed.
    """
    variables = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONHASHSEED": str(hash_seed),
        **(environment or {}),
    }
    request = json.dumps({"question": question, "arguments": dict(arguments)})
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "daybreak.testing.probe"],
                input=request,
                capture_output=True,
                text=True,
                env=variables,
                cwd=folder,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{question}: no answer within {timeout_s:g} s") from None
    if done.returncode != 0:
        raise AssertionError(f"{question}: the process failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def describe_component(component: Component) -> dict[str, Any]:
    """Return the JSON from which another process makes the component again."""
    spec = component.spec
    return {
        "kind": spec.kind,
        "name": spec.name,
        "factory": spec.factory,
        "options": spec.options,
        "benchmark_options": list(getattr(spec, "benchmark_options", ())),
        "isolation": str(getattr(spec, "isolation", Isolation.INLINE)),
        "plugin": component.plugin,
    }


def _component(description: Mapping[str, Any]) -> Component:
    common = {key: description[key] for key in ("name", "factory", "options")}
    if description["kind"] == "target":
        pairs = tuple((name, path) for name, path in description["benchmark_options"])
        return Component(
            TargetSpec(**common, summary="probe", benchmark_options=pairs), description["plugin"]
        )
    isolation = Isolation(description["isolation"])
    return Component(
        OptimizerSpec(**common, summary="probe", isolation=isolation), description["plugin"]
    )


def _listing(factories: list[str]) -> dict[str, Any]:
    from daybreak.plugin import load_plugins

    already = set(sys.modules)
    registry = load_plugins()
    new = set(sys.modules) - already
    return {
        "heavy": sorted(HEAVY & {name.partition(".")[0] for name in new}),
        "factories": sorted({path.partition(":")[0] for path in factories} & new),
        "status": {record.name: str(record.status) for record in registry.plugins},
    }


def _imports(paths: list[str]) -> dict[str, str]:
    """Import each dotted path and return what went wrong, by path."""
    from daybreak.plugin import load_object

    problems: dict[str, str] = {}
    for path in paths:
        try:
            load_object(path)
        except BaseException as error:
            problems[path] = f"{type(error).__name__}: {error}"
    return problems


def _identity(component: Mapping[str, Any], name: str, options: Mapping[str, Any]) -> Any:
    made = _component(component)
    target = made.create()
    benchmark = target.define(name, options)
    with target.open(benchmark) as session:
        return {
            "space": benchmark.space.fingerprint(),
            "instance": benchmark.instance,
            "options": dict(benchmark.options),
            "identity": dict(session.identity),
        }


def _proposals(
    component: Mapping[str, Any],
    names: list[str],
    options: Mapping[str, Any],
    seed: int,
    trials: int,
) -> Any:
    """Drive the optimizer on each named problem; a text instead of proposals says what it raised."""
    from daybreak.run.optimizers import Optimizers
    from daybreak.testing.exercises import drive, problems

    made = _component(component)
    answers: dict[str, Any] = {}
    with Optimizers() as optimizers:
        for name in names:
            problem = problems(seed=seed)[name]
            try:
                optimizer = optimizers.create(made, problem, options)
                done = drive(optimizer, problem, trials)
                answers[name] = [dict(trial.configuration) for trial in done]
                optimizers.release(optimizer)
            except Exception as error:
                answers[name] = f"{type(error).__name__}: {error}"
    return answers


_QUESTIONS: dict[str, Callable[..., Any]] = {
    "identity": _identity,
    "imports": _imports,
    "listing": _listing,
    "proposals": _proposals,
}


def main() -> None:
    """Answer the question on standard input; whatever a plugin prints goes to standard error."""
    answer_to = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    request = json.load(sys.stdin)
    answer = _QUESTIONS[request["question"]](**request["arguments"])
    answer_to.write("\n" + json.dumps(answer) + "\n")
    answer_to.flush()


if __name__ == "__main__":
    main()
