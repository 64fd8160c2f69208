"""BoTorch behind ask and tell: SingleTaskGP with logEI over feasible configurations."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from botorch.acquisition import qLogExpectedImprovement
from botorch.acquisition.analytic import (
    LogConstrainedExpectedImprovement,
    LogExpectedImprovement,
)
from botorch.acquisition.objective import GenericMCObjective
from botorch.exceptions.errors import ModelFittingError
from botorch.fit import fit_gpytorch_mll
from botorch.models import ModelListGP, SingleTaskGP
from botorch.sampling import SobolQMCNormalSampler
from gpytorch.mlls import ExactMarginalLogLikelihood

from daybreak import Configuration
from daybreak_peers.adapter import PeerOptimizer, Proposal

__all__ = ["BoTorch"]

#: Starts of the hill climbing, and its steps at most: BoTorch's own local search has as many starts.
_STARTS = 5
_STEPS = 30
#: A neighbourhood larger than this is cut to a random part of it.
_NEIGHBOURS = 500


class BoTorch(PeerOptimizer):
    """Gaussian process and acquisition are BoTorch's; the candidates are feasible by construction.

    BoTorch's discrete optimisers take a list of choices (`optimize_acqf_discrete`) or linear
    constraints, not the constraints of a tree. So the acquisition is maximised the same way over
    what Daybreak draws: `candidates` unseen feasible configurations, then hill climbing over
    feasible neighbours from the best few and from the best measured ones. Nothing is proposed
    twice, as with BoTorch's `X_avoid`.

    Inputs are Daybreak's encoding in [0, 1]: ordinals on their scale, one column per category, a
    permutation as its elements' positions. Failures train a second process on +-1, whose
    probability of being above 0 enters as a constraint (`LogConstrainedExpectedImprovement`);
    proposals that wait for a result are `X_pending` of `qLogExpectedImprovement`.
    """

    def start(self) -> None:
        """Set up the data."""
        self._rows: list[list[float]] = []
        self._outcomes: list[float | None] = []
        self._turn = 0
        self._startup = int(self.options.get("startup") or len(self.space.parameters) + 1)
        self._drawn = int(self.options.get("candidates", 1024))

    # -- results --------------------------------------------------------------------------------

    def report(self, proposal: Proposal, cost: float | None) -> None:
        """Keep the result."""
        if proposal.configuration is not None:
            self.inject(proposal.configuration, cost)

    def inject(self, configuration: Configuration, cost: float | None) -> None:
        """Keep the result."""
        self._rows.append(self._encode([configuration])[0].tolist())
        self._outcomes.append(cost)

    # -- proposals ------------------------------------------------------------------------------

    def suggest(self) -> Proposal | None:
        """Return a random configuration of the initial design, or the one of most acquisition."""
        values = {cost for cost in self._outcomes if cost is not None}
        waiting = len(self.pending)
        if len(self._rows) + waiting < self._startup or len(values) < 2:
            drawn = self._unseen.draw()
            return None if drawn is None else Proposal(drawn, source="design")
        self._turn += 1
        with self._generators():
            acquisition, model = self._model()
            best, value = self._maximise(acquisition)
            if best is None:
                return None
            return Proposal(best, facts=self._facts(best, value, model))

    def _model(self) -> tuple[Any, Any]:
        """Fit the processes and return the acquisition function with the objective's process."""
        x = torch.tensor(self._rows, dtype=torch.double)
        ok = torch.tensor([cost is not None for cost in self._outcomes])
        gains = torch.tensor([[-cost] for cost in self._outcomes if cost is not None])
        gains = gains.to(torch.double)
        objective = _fitted(x[ok], gains)
        best = gains.max()
        feasibility = None
        if not bool(ok.all()):
            feasibility = _fitted(x, ok.to(torch.double).unsqueeze(-1) * 2 - 1)
        pending = self.pending
        if pending:
            return self._batch(objective, feasibility, best, pending), objective
        if feasibility is None:
            return LogExpectedImprovement(objective, best_f=best), objective
        both = ModelListGP(objective, feasibility)
        constrained = LogConstrainedExpectedImprovement(
            both, best_f=best, objective_index=0, constraints={1: (0.0, None)}
        )
        return constrained, objective

    def _batch(
        self, objective: Any, feasibility: Any, best: Any, pending: Sequence[Configuration]
    ) -> Any:
        model = objective if feasibility is None else ModelListGP(objective, feasibility)
        return qLogExpectedImprovement(
            model,
            best_f=best,
            sampler=SobolQMCNormalSampler(torch.Size([128]), seed=self.seed),
            objective=GenericMCObjective(lambda samples, X=None: samples[..., 0]),  # noqa: ARG005, N803 - BoTorch's name
            constraints=None if feasibility is None else [lambda samples: -samples[..., 1]],
            X_pending=self._encode(pending),
        )

    def _maximise(self, acquisition: Any) -> tuple[Configuration | None, float]:
        """Return the unseen feasible configuration of most acquisition, and its value."""
        candidates = self._unseen.draw_many(self._drawn)
        if not candidates:
            return None, 0.0
        values = self._evaluate(acquisition, candidates)
        order = values.argsort(descending=True)[:_STARTS].tolist()
        best, best_value = candidates[order[0]], float(values[order[0]])
        for start, value in [(candidates[i], float(values[i])) for i in order]:
            found, reached = self._climb(acquisition, start, value)
            if reached > best_value:
                best, best_value = found, reached
        return best, best_value

    def _climb(
        self, acquisition: Any, start: Configuration, value: float
    ) -> tuple[Configuration, float]:
        for _ in range(_STEPS):
            around = [c for c in self.space.neighbours(start) if not self._unseen.has(c)]
            if len(around) > _NEIGHBOURS:
                chosen = self.rng.choice(len(around), _NEIGHBOURS, replace=False)
                around = [around[i] for i in chosen]
            if not around:
                break
            values = self._evaluate(acquisition, around)
            place = int(values.argmax())
            if float(values[place]) <= value:
                break
            start, value = around[place], float(values[place])
        return start, value

    def _evaluate(self, acquisition: Any, configurations: Sequence[Configuration]) -> Any:
        with torch.no_grad():
            return acquisition(self._encode(configurations).unsqueeze(1))

    def _facts(self, best: Configuration, value: float, model: Any) -> dict[str, Any]:
        with torch.no_grad():
            posterior = model.posterior(self._encode([best]))
        facts = {"acquisition": value}
        if not self.options.get("log_objective"):
            facts["mean"] = self.sign * -float(posterior.mean)
            facts["deviation"] = float(posterior.variance.clamp_min(0).sqrt())
        return {name: number for name, number in facts.items() if math.isfinite(number)}

    def _encode(self, configurations: Sequence[Configuration]) -> Any:
        return torch.from_numpy(self.space.encode(configurations)).to(torch.double)

    @contextmanager
    def _generators(self) -> Iterator[None]:
        """Seed torch's generator for this turn, leave the process's as it was, drop warnings."""
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.manual_seed(self.seed + self._turn)
            yield


def _fitted(x: Any, y: Any) -> Any:
    """Return a SingleTaskGP fitted by maximum a posteriori; with its priors' values if that fails."""
    model = SingleTaskGP(x, y)
    try:
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    except ModelFittingError:
        model = SingleTaskGP(x, y)
    model.eval()
    return model
