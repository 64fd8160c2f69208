"""SMAC3 behind ask and tell: random forest (hpo) or Gaussian process (blackbox)."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ConfigSpace import (
    CategoricalHyperparameter,
    ConfigurationSpace,
    InCondition,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)
from ConfigSpace import Configuration as SmacConfiguration
from smac import BlackBoxFacade, HyperparameterOptimizationFacade, Scenario
from smac.main.exceptions import ConfigurationSpaceExhaustedException
from smac.runhistory import StatusType, TrialInfo, TrialValue

from daybreak import Configuration, parse_constraint
from daybreak_peers.adapter import PeerOptimizer, Proposal
from daybreak_peers.coding import Coding, Column
from daybreak_peers.generators import Generators
from daybreak_peers.trees import Mender

__all__ = ["Smac"]

logging.getLogger("smac").setLevel(logging.CRITICAL)

#: SMAC scales its initial design by the number of trials; this many where the budget has none.
_TRIALS = 100

_REPAIRED = "repaired"

_FACADES: dict[str, Any] = {
    "hpo": HyperparameterOptimizationFacade,
    "blackbox": BlackBoxFacade,
}


class Smac(PeerOptimizer):
    """SMAC3 on a deterministic scenario: one seed, one call per configuration.

    Parameters are passed as the columns of `Coding`; a condition that names one parameter, itself
    unconditional, becomes ConfigSpace's own, others put inactive parameters at rest. Linked
    parameters follow the option `constraints`:

    - `repair`: the nearest feasible leaf of the tree is measured and told as a configuration that
      SMAC did not ask for, which its interface allows; what it asked for stays running, which keeps
      it out of the model and from being proposed again, unless that leaf was measured before:
      then what it cost is told at the place that SMAC asked for.
    - `embed`: each is a float in [0, 1] that picks among the feasible children at its level.
    - `reject`: a violation is told as crashed.

    A failure is told as CRASHED with the worst cost so far, since the surrogate takes no infinite
    cost.
    """

    patience = 200

    def start(self) -> None:
        """Make the facade."""
        self._generators = Generators(self.seed)
        self._mode = self.options.get("constraints", "repair")
        self._coding = Coding(self.space, embed=self._mode == "embed")
        self._mender = Mender(self.space) if self._mode == "repair" else None
        self._worst: float | None = None
        self._columns = {c.name: c for c in self._coding.columns}
        if not self._columns:
            return
        with self._quietly():
            self._configspace = self._make_space()
            self._folder = tempfile.TemporaryDirectory(prefix="daybreak-smac-")
            scenario = Scenario(
                self._configspace,
                output_directory=Path(self._folder.name),
                deterministic=True,
                n_trials=max(self.problem.budget.evaluations or _TRIALS, 2),
                seed=self.seed,
            )
            facade = _FACADES[self.options.get("facade", "hpo")]
            self._facade = facade(
                scenario,
                None,
                intensifier=facade.get_intensifier(scenario, max_config_calls=1),
                config_selector=facade.get_config_selector(
                    scenario, retrain_after=self.options.get("retrain_after", 8)
                ),
                logging_level=False,
                overwrite=True,
            )
            # decides on the seed that all trials are under, which history needs before the first ask
            self._facade.intensifier.__post_init__()

    # -- proposals ------------------------------------------------------------------------------

    def suggest(self) -> Proposal | None:
        """Ask for a trial; None when SMAC finds no configuration that it has not tried."""
        with self._quietly():
            try:
                trial = self._facade.ask()
            except (StopIteration, ConfigurationSpaceExhaustedException):
                return None
        origin = str(trial.config.origin or "")
        source = "design" if "Initial" in origin else "model"
        facts = {"origin": origin} if origin else {}
        configuration = self._coding.decode(_numbers(trial.config))
        if self._mender is not None and not self.space.feasible(configuration):
            mended = self._mender.mend(configuration)
            return Proposal(mended, trial, source, {**facts, "note": _REPAIRED})
        return Proposal(configuration, trial, source, facts)

    # -- results --------------------------------------------------------------------------------

    def report(self, proposal: Proposal, cost: float | None) -> None:
        """Tell the trial; a repaired configuration as one that was not asked for."""
        if proposal.facts.get("note") == _REPAIRED and proposal.configuration is not None:
            self.inject(proposal.configuration, cost)
        else:
            self._tell(proposal.handle, cost)

    def repeat(self, proposal: Proposal, cost: float | None) -> None:
        """Tell the remembered cost, also at the place of a proposal that was repaired."""
        self._tell(proposal.handle, cost)

    def inject(self, configuration: Configuration, cost: float | None) -> None:
        """Tell a configuration that was not asked for, under the seed of those that are."""
        with self._quietly():
            made = self._encoded(configuration)
            (trial,) = self._facade.intensifier.get_trials_of_interest(made)
        self._tell(trial, cost)

    def withdraw(self, proposal: Proposal) -> None:
        """Leave the trial running."""

    def _tell(self, trial: TrialInfo, cost: float | None) -> None:
        status = StatusType.SUCCESS
        if cost is None:
            status, cost = StatusType.CRASHED, 0.0 if self._worst is None else self._worst
        else:
            self._worst = cost if self._worst is None else max(self._worst, cost)
        with self._quietly():
            self._facade.tell(trial, TrialValue(cost=cost, status=status), save=False)

    # -- the space ------------------------------------------------------------------------------

    def _make_space(self) -> ConfigurationSpace:
        made = ConfigurationSpace(seed=self.seed)
        parameters = {c.name: _hyperparameter(c) for c in self._coding.columns}
        made.add(list(parameters.values()))
        conditions = []
        for parameter in self.space.parameters:
            if parameter.when is None or parameter.name in self._coding.embedded:
                continue
            condition = parse_constraint(parameter.when)
            parent = self.space[condition.names[0]]
            size = parent.size
            if len(condition.names) > 1 or parent.when is not None or size is None or size > 1000:
                continue
            columns = self._coding.of(parent.name)
            if len(columns) != 1:
                continue
            low = int(columns[0].low)
            on = [
                low + i for i in range(size) if condition.holds({parent.name: parent.value_at(i)})
            ]
            if not on:
                continue
            conditions += [
                InCondition(parameters[column.name], parameters[parent.name], on)
                for column in self._coding.of(parameter.name)
            ]
        made.add(conditions)
        return made

    def _encoded(self, configuration: Configuration) -> SmacConfiguration:
        values = self._coding.encode(configuration)
        active = self.space.active(configuration)
        conditional = set(self._configspace.conditional_hyperparameters)
        kept = {
            name: value
            for name, value in values.items()
            if name not in conditional or active[self._columns[name].parameter]
        }
        return SmacConfiguration(self._configspace, values=kept, origin="told")

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Have the library's own random generators in place, and its warnings dropped."""
        with self._generators.in_place(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield


def _hyperparameter(column: Column) -> Any:
    if column.kind == "choice":
        return CategoricalHyperparameter(column.name, list(range(column.size or 0)))
    if column.kind == "integer":
        return UniformIntegerHyperparameter(
            column.name, int(column.low), int(column.high), log=column.log
        )
    return UniformFloatHyperparameter(column.name, column.low, column.high, log=column.log)


def _numbers(configuration: SmacConfiguration) -> dict[str, Any]:
    """Return the active columns' values as Python's own numbers."""
    return {
        name: value.item() if hasattr(value, "item") else value
        for name, value in configuration.items()
    }
