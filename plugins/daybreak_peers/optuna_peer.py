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
from daybreak_peers.trees import trees_of

__all__ = ["OptunaGP", "OptunaRandom", "OptunaTPE"]

optuna.logging.set_verbosity(optuna.logging.ERROR)


class _Optuna(PeerOptimizer):
    """An Optuna study of one direction, in memory.

    Every parameter is suggested as the columns of `Coding`; one that is inactive is not suggested.
    Linked parameters follow the option `constraints`:

    - `repair`: the nearest feasible leaf of the tree is measured, and added to the study as a
      trial of its own; the trial that Optuna suggested is discarded as failed.
    - `embed`: each has a float in [0, 1] that picks among the feasible children at its level.
    - `reject`: suggested freely; a violation sets the constraint `known`, the trial is told pruned
      (TPE, random) or with the worst cost so far (GP, which knows completed trials only).
    """

    #: whether the sampler learns from constraints of completed trials only
    learns_constraints = False

    def start(self) -> None:
        """Make the study."""
        self._coding = Coding(self.space)
        mode = self.options.get("constraints", "repair")
        self._mode = mode
        self._trees = trees_of(self.space) if mode != "reject" else []
        self._embedded = (
            {name for tree in self._trees for name in tree.names} if mode == "embed" else set()
        )
        self._conditions = {
            p.name: parse_constraint(p.when) for p in self.space.parameters if p.when is not None
        }
        self._worst: float | None = None
        self._told = 0
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
        if self._mode == "repair" and not self.space.feasible(configuration):
            for tree in self._trees:
                configuration.update(tree.nearest(configuration))
            configuration = self.space.settle(configuration)
            self.study.tell(trial, state=TrialState.FAIL)
            return Proposal(configuration, None, source, {"repaired": True})
        return Proposal(configuration, trial, source)

    def _suggested(self, trial: optuna.Trial) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for tree in self._trees if self._embedded else ():
            fractions = {name: trial.suggest_float(name, 0.0, 1.0) for name in tree.names}
            values.update(tree.walk(fractions))
        left = [p for p in self.space.parameters if p.name not in self._embedded]
        while left:
            waiting = []
            for parameter in left:
                condition = self._conditions.get(parameter.name)
                if condition is None:
                    on = True
                elif set(condition.names) <= values.keys():
                    on = condition.holds(values)
                else:
                    waiting.append(parameter)
                    continue
                if on:
                    columns = {c.name: _suggest(trial, c) for c in self._coding.of(parameter.name)}
                    values[parameter.name] = self._coding.decode_one(parameter, columns)
                else:
                    values[parameter.name] = parameter.rest
            left = waiting
        return {name: values[name] for name in self.space.names}

    # -- results --------------------------------------------------------------------------------

    def report(self, proposal: Proposal, cost: float | None) -> None:
        """Tell the trial; a repaired configuration becomes a trial of its own."""
        trial = proposal.handle
        if trial is None:
            if proposal.configuration is not None:
                self.inject(proposal.configuration, cost)
            return
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
        if trial is None:
            return
        for name, value in self._constraints(failed=False, violated=True).items():
            trial.set_constraint(name, value)
        if self.learns_constraints:
            self.study.tell(trial, self._value(None))
        else:
            self.study.tell(trial, state=TrialState.PRUNED)

    def withdraw(self, proposal: Proposal) -> None:
        """Discard the trial."""
        if proposal.handle is not None:
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
        params: dict[str, Any] = {}
        distributions: dict[str, BaseDistribution] = {}
        if self._embedded:
            for tree in self._trees:
                params.update(tree.fractions(configuration))
                distributions.update({n: FloatDistribution(0.0, 1.0) for n in tree.names})
        for parameter in self.space.parameters:
            if parameter.name in self._embedded or not active[parameter.name]:
                continue
            params.update(self._coding.encode_one(parameter, configuration[parameter.name]))
            for column in self._coding.of(parameter.name):
                distributions[column.name] = _distribution(column)
        return params, distributions


class OptunaTPE(_Optuna):
    """Tree-structured Parzen estimator; failed trials are told as pruned, which it holds for bad."""

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
