"""Kernel Tuner's search strategies without a kernel.

A strategy gets Kernel Tuner's own `Searchspace`, `CostFunc` and budget, and a runner that asks
Daybreak instead of compiling. The search space is handed over as Kernel Tuner takes the space of a
recorded cache: the list of feasible configurations, so that it holds exactly those of Daybreak and
needs no solver.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kernel_tuner.interface import _STRATEGY_IMPORTS, Options
from kernel_tuner.searchspace import Searchspace
from kernel_tuner.strategies.common import CostFunc
from kernel_tuner.util import RuntimeFailedConfig, TuningBudget

from daybreak import Configuration, Integer, Ordinal, Parameter, Permutation, Space
from daybreak_peers.adapter import Proposal
from daybreak_peers.inverted import LoopingPeer, Objective

__all__ = ["KernelTuner", "strategy_module"]

_OBJECTIVE = "cost"
#: Several strategies fail on fewer configurations than this; they are drawn without them.
_SMALLEST = 4
#: strategies that fail when their first population is larger than the space, with its usual size
_POPULATIONS = {"bayes_opt": 20, "diff_evo": 16, "firefly_algorithm": 20}
#: the frame in which `CostFunc` decides about a proposal
_DECIDES = CostFunc._normalize_and_validate_config.__code__


class KernelTuner(LoopingPeer):
    """A strategy of Kernel Tuner."""

    def load(self) -> None:
        """Import the strategy, and what strategies import when they first need it."""
        self._module = strategy_module(self.options["strategy"])
        for late in ("scipy.optimize", "scipy.spatial.distance", "scipy.stats.qmc"):
            importlib.import_module(late)

    def prepare(self) -> None:
        """List the feasible configurations in Kernel Tuner's terms."""
        self._values = Values(self.space)
        self._searchspace = _Searchspace(self._values)
        self._given = dict(self.options.get("strategy_options") or {})
        size = self._searchspace.size
        evaluations = self.problem.budget.evaluations
        self._max_fevals = size if evaluations is None else min(evaluations, size)

    def turn(self) -> Proposal | None:
        """Let the strategy run to its next proposal; in a tiny space it has none."""
        return super().turn() if self._searchspace.size >= _SMALLEST else None

    def run(self) -> Callable[[Objective[Sequence[Any]]], Any]:
        """Return a run of the strategy under a budget of its own, as long as the study's."""
        searchspace, module, max_fevals = self._searchspace, self._module, self._max_fevals
        name = self.options["strategy"]
        given = {**_fitting(name, self.space, searchspace.size), **self._given}

        def run(objective: Objective[Sequence[Any]]) -> None:
            options = _tuning_options(name, given, searchspace, max_fevals)
            searchspace.objective = objective
            module.tune(searchspace, _Runner(objective), options)

        return run

    def configuration(self, point: Sequence[Any]) -> Configuration:
        """Return the configuration that a tuple of Kernel Tuner's values stands for."""
        return self._values.decode(point)


class Values:
    """Daybreak's parameters in Kernel Tuner's terms: a list of values each, all numbers.

    Numbers stay as they are; categories, truth values and orders are given by their number, since
    Kernel Tuner sees every parameter as a list of values in order, and shuffles sets of them, whose
    order would depend on the process for text. Of a permutation the feasible orders are listed.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        numbers = {p.name: isinstance(p, Integer | Ordinal) for p in space.parameters}
        self._plain = numbers
        #: the feasible configurations as tuples, in the space's order
        self.rows: list[tuple[Any, ...]] = [self.encode(c) for c in space.grid()]
        self.tune_params: dict[str, list[Any]] = {
            p.name: self._listed(i, p) for i, p in enumerate(space.parameters)
        }

    def _listed(self, column: int, parameter: Parameter) -> list[Any]:
        if isinstance(parameter, Permutation):
            return sorted({row[column] for row in self.rows})
        size = parameter.size or 0
        if self._plain[parameter.name]:
            return [parameter.value_at(i) for i in range(size)]
        return list(range(size))

    def encode(self, configuration: Configuration) -> tuple[Any, ...]:
        """Return the values in Kernel Tuner's terms."""
        return tuple(
            configuration[p.name] if self._plain[p.name] else p.index_of(configuration[p.name])
            for p in self._space.parameters
        )

    def decode(self, point: Sequence[Any]) -> dict[str, Any]:
        """Return the configuration that `encode` turns into `point`; constraints need not hold."""
        return {
            p.name: value if self._plain[p.name] else p.value_at(int(value))
            for p, value in zip(self._space.parameters, point, strict=True)
        }


class _Searchspace(Searchspace):  # type: ignore[misc]
    """Kernel Tuner's search space, which hands over what `CostFunc` refuses, to be counted."""

    objective: Objective[Sequence[Any]]

    def __init__(self, values: Values) -> None:
        cache = {
            str(i): dict(zip(values.tune_params, row, strict=True))
            for i, row in enumerate(values.rows)
        }
        super().__init__(
            None, None, None, from_cache={"tune_params": values.tune_params, "cache": cache}
        )

    def is_param_config_valid(self, param_config: tuple[Any, ...]) -> bool:
        """Say whether a configuration is feasible; a proposal that is not is handed over first."""
        valid = bool(super().is_param_config_valid(param_config))
        if not valid and sys._getframe(1).f_code is _DECIDES:
            self.objective(param_config)
        return valid


class _Device:
    """What strategies look at of a device."""

    max_threads = 1_000_000_000
    name = "Daybreak"


class _Runner:
    """In the place of Kernel Tuner's runners: one configuration after another is asked for.

    Like them it counts a configuration towards the budget the first time only; failures are its
    own error values.
    """

    def __init__(self, objective: Objective[Sequence[Any]]) -> None:
        self._objective = objective
        self._visited: set[tuple[Any, ...]] = set()
        self.dev = _Device()

    def add_strategy_time(self, _seconds: float) -> None:
        """Take the strategy's own time; Daybreak measures it itself."""

    def run(
        self, configurations: Sequence[Sequence[Any]], options: Any
    ) -> list[dict[str, Any] | None]:
        """Return a result for each; None once the budget is used up, as its runners do."""
        results: list[dict[str, Any] | None] = []
        names = list(options.tune_params)
        for configuration in configurations:
            if options.budget.is_done():
                results.append(None)
                continue
            key = tuple(configuration)
            cost = self._objective(key)
            if key not in self._visited:
                self._visited.add(key)
                options.budget.add_evaluations(1)
            result: dict[str, Any] = dict(zip(names, key, strict=True))
            result[_OBJECTIVE] = RuntimeFailedConfig() if cost is None else cost
            if cost is None:
                result["__error__"] = RuntimeFailedConfig()
            results.append(result)
        return results


def strategy_module(strategy: str) -> Any:
    """Import the module of one of Kernel Tuner's strategies."""
    return importlib.import_module(_STRATEGY_IMPORTS[strategy])


def _fitting(name: str, space: Space, size: int) -> dict[str, Any]:
    """Return a population that fits into the space, where the strategy's own does not."""
    usual = _POPULATIONS.get(name)
    if usual is None:
        return {}
    if name == "diff_evo":
        usual *= sum(parameter.size != 1 for parameter in space.parameters)
        if usual >= size:
            return {"popsize": size - 1, "popsize_times_dimensions": False}
    return {"popsize": size} if usual > size else {}


def _tuning_options(
    name: str, given: Mapping[str, Any], searchspace: Searchspace, max_fevals: int
) -> Any:
    strategy_options = Options({**given, "max_fevals": max_fevals})
    return Options(
        strategy=name,
        strategy_options=strategy_options,
        objective=[_OBJECTIVE],
        objective_higher_is_better=[False],
        tune_params=searchspace.tune_params,
        restrictions=[],
        restrictions_unmodified=[],
        max_fevals=max_fevals,
        budget=TuningBudget(None, max_fevals),
        cache={},
        verbose=False,
    )
