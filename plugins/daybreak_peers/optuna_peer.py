"""Optuna behind ask and tell: TPE, Gaussian process, random."""

from __future__ import annotations

import warnings
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState

from daybreak import Configuration, parse_constraint
from daybreak_peers.adapter import PeerOptimizer, Proposal
from daybreak_peers.coding import Coding, Column
from daybreak_peers.trees import Mender

__all__ = ["OptunaGP", "OptunaRandom", "OptunaTPE"]

optuna.logging.set_verbosity(optuna.logging.ERROR)


class _Optuna(PeerOptimizer):
    """An Optuna study of one direction, in memory.

    Every parameter is suggested as the columns of `Coding`; one that is inactive is not suggested.
    Linked parameters follow the option `constraints`:

    - `repair`: the nearest feasible leaf of the tree is measured, and added to the study as a
      trial of its own; the trial that Optuna suggested is discarded as failed. If that leaf was
      measured before, what it cost is told at the place that Optuna suggested.
    - `embed`: each has a float in [0, 1] that picks among the feasible children at its level.
    - `reject`: suggested freely; a violation sets the constraint `known`, the trial is told pruned
      (TPE, random) or with the worst cost so far (GP, which knows completed trials only).
    """

    #: whether the sampler learns from constraints of completed trials only
    learns_constraints = False

    def start(self) -> None:
        """Make the study."""
        self._mode = self.options.get("constraints", "repair")
        self._coding = Coding(self.space, embed=self._mode == "embed")
        self._mender = Mender(self.space) if self._mode == "repair" else None
        self._conditions = {
            p.name: parse_constraint(p.when)
            for p in self.space.parameters
            if p.when is not None and p.name not in self._coding.embedded
        }
        self._worst: float | None = None
        self._told = 0
        #: numbers of the trials whose configuration was repaired
        self._repaired: set[int] = set()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.study = optuna.create_study(sampler=self.sampler())

    def sampler(self) -> optuna.samplers.BaseSampler:
        """Return Optuna's sampler."""
        raise NotImplementedError

    @property
    def startup(self) -> int:
        """Trials that the sampler draws at random first."""
        return int(self.options.get("startup", 0))

    # -- proposals ------------------------------------------------------------------------------

    def suggest(self) -> Proposal:
        """Ask for a trial and suggest its parameters level by level."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = self.study.ask()
            configuration = self._suggested(trial)
        source = "design" if self._told < self.startup else "model"
        if self._mender is not None and not self.space.feasible(configuration):
            self._repaired.add(trial.number)
            return Proposal(self._mender.mend(configuration), trial, source, {"note": "repaired"})
        return Proposal(configuration, trial, source)

    def _suggested(self, trial: optuna.Trial) -> dict[str, Any]:
        """Suggest every column, each after those that its parameter's condition names."""
        columns: dict[str, Any] = {}
        values: dict[str, Any] = {}
        left = list(self.space.parameters)
        while left:
            waiting = []
            for parameter in left:
                condition = self._conditions.get(parameter.name)
                if condition is not None and not set(condition.names) <= values.keys():
                    waiting.append(parameter)
                    continue
                if condition is None or condition.holds(values):
                    for column in self._coding.of(parameter.name):
                        columns[column.name] = _suggest(trial, column)
                if parameter.name not in self._coding.embedded:
                    values[parameter.name] = self._coding.decode_one(parameter, columns)
            left = waiting
        return self._coding.decode(columns)

    # -- results --------------------------------------------------------------------------------

    def report(self, proposal: Proposal, cost: float | None) -> None:
        """Tell the trial; a repaired configuration becomes a trial of its own in its place."""
        trial = proposal.handle
        if trial.number in self._repaired and proposal.configuration is not None:
            self.study.tell(trial, state=TrialState.FAIL)
            self.inject(proposal.configuration, cost)
        else:
            self._tell(trial, cost)

    def repeat(self, proposal: Proposal, cost: float | None) -> None:
        """Tell the remembered cost, as Optuna's FAQ advises.

        Where the proposal was repaired it stands at the proposal's own place, so that the sampler
        learns what it gets there and goes elsewhere.
        """
        self._tell(proposal.handle, cost)

    def _tell(self, trial: optuna.Trial, cost: float | None) -> None:
        self._told += 1
        if cost is None and not self.learns_constraints:
            self.study.tell(trial, state=TrialState.PRUNED)
            return
        for name, value in self._constraints(failed=cost is None).items():
            trial.set_constraint(name, value)
        self.study.tell(trial, self._value(cost))

    def inject(self, configuration: Configuration, cost: float | None) -> None:
        """Add a finished trial."""
        self._told += 1
        params, distributions = self._params(configuration)
        finished: dict[str, Any] = {"params": params, "distributions": distributions}
        if cost is None and not self.learns_constraints:
            finished["state"] = TrialState.PRUNED
        else:
            finished["value"] = self._value(cost)
            finished["constraints"] = self._constraints(failed=cost is None) or None
        self.study.add_trial(optuna.create_trial(**finished))

    def refuse(self, proposal: Proposal) -> None:
        """Set the constraint `known` and tell the trial pruned, or with the worst cost so far."""
        trial = proposal.handle
        for name, value in self._constraints(failed=False, violated=True).items():
            trial.set_constraint(name, value)
        if self.learns_constraints:
            self.study.tell(trial, self._value(None))
        else:
            self.study.tell(trial, state=TrialState.PRUNED)

    def withdraw(self, proposal: Proposal) -> None:
        """Discard the trial."""
        self.study.tell(proposal.handle, state=TrialState.FAIL)

    def _value(self, cost: float | None) -> float:
        """Return the cost; for a failure the worst so far, 0 before any."""
        if cost is None:
            return 0.0 if self._worst is None else self._worst
        self._worst = cost if self._worst is None else max(self._worst, cost)
        return cost

    def _constraints(self, *, failed: bool, violated: bool = False) -> dict[str, float]:
        """Return the trial's constraints: above 0 is violated; the same names for every trial."""
        found = {}
        if self._mode == "reject" and self.space.constraints:
            found["known"] = 1.0 if violated else -1.0
        if self.learns_constraints and self.problem.hidden_constraints:
            found["hidden"] = 1.0 if failed else -1.0
        return found

    def _params(
        self, configuration: Configuration
    ) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
        active = self.space.active(configuration)
        values = self._coding.encode(configuration)
        columns = [
            column
            for column in self._coding.columns
            if active[column.parameter] or column.parameter in self._coding.embedded
        ]
        return (
            {column.name: values[column.name] for column in columns},
            {column.name: _distribution(column) for column in columns},
        )


class OptunaTPE(_Optuna):
    """Tree-structured Parzen estimator; failed trials are told as pruned, which it holds for bad."""

    patience = 200

    def sampler(self) -> optuna.samplers.BaseSampler:
        """Return the sampler; conditional parameters are modelled in groups."""
        return optuna.samplers.TPESampler(
            seed=self.seed,
            n_startup_trials=self.startup,
            group=bool(self._conditions),
            constant_liar=True,
        )


class OptunaGP(_Optuna):
    """Gaussian process with logEI; failed trials violate the constraint `hidden`."""

    patience = 30
    learns_constraints = True

    def sampler(self) -> optuna.samplers.BaseSampler:
        """Return the sampler."""
        return optuna.samplers.GPSampler(
            seed=self.seed,
            n_startup_trials=self.startup,
            warn_independent_sampling=False,
        )


class OptunaRandom(_Optuna):
    """Every column uniform and independent."""

    def sampler(self) -> optuna.samplers.BaseSampler:
        """Return the sampler."""
        return optuna.samplers.RandomSampler(seed=self.seed)


def _suggest(trial: optuna.Trial, column: Column) -> Any:
    if column.kind == "float":
        return trial.suggest_float(column.name, column.low, column.high, log=column.log)
    if column.kind == "integer":
        return trial.suggest_int(column.name, int(column.low), int(column.high), log=column.log)
    return trial.suggest_categorical(column.name, list(range(column.size or 0)))


def _distribution(column: Column) -> BaseDistribution:
    if column.kind == "float":
        return FloatDistribution(column.low, column.high, log=column.log)
    if column.kind == "integer":
        return IntDistribution(int(column.low), int(column.high), log=column.log)
    return CategoricalDistribution(list(range(column.size or 0)))
