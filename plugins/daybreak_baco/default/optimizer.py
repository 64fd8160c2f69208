"""The default preset."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from daybreak import Configuration, Direction, Problem, Trial
from daybreak_baco.default.acquisition import log_expected_improvement
from daybreak_baco.default.candidates import Candidates, Key
from daybreak_baco.default.features import Features
from daybreak_baco.default.model import GaussianProcess, Prior
from daybreak_baco.default.options import DefaultOptions
from daybreak_baco.default.settings import Settings

__all__ = ["DefaultBaco"]


class DefaultBaco:
    """Bayesian optimisation."""

    def __init__(
        self, problem: Problem, options: DefaultOptions, settings: Settings | None = None
    ) -> None:
        s = self._s = settings or Settings()
        self._space = problem.space
        self._seed = problem.seed
        self._sign = (
            -1.0
            if problem.objectives and problem.objectives[0].direction is Direction.MAXIMIZE
            else 1.0
        )
        self._features = Features(problem.space, problem.seed, s)
        self._candidates = Candidates(problem.space, self._features, s)
        self._rng = np.random.default_rng([problem.seed, 77])
        self._told: dict[Key, tuple[Configuration, float | None, Trial]] = {}
        self._pending: dict[Key, Configuration] = {}
        d = sum(1 for p in problem.space.parameters if p.size != 1)
        G = len(self._features.groups)
        prior = Prior(
            (s.length_mean + s.length_dim * math.log(max(1, G)), s.length_sd),
            (0.0, s.signal_sd),
            (s.noise_mean, s.noise_sd),
        )
        self._gp = GaussianProcess(self._features.member, prior)
        self._fgp = GaussianProcess(
            self._features.member, Prior(prior.length, (0.0, s.signal_sd), (-2.0, 1.0), 1e-2)
        )
        self._n0 = s.n0 or max(4, min(10, d + 1))
        budget = problem.budget.evaluations
        if budget:
            self._n0 = min(self._n0, max(2, budget // 3))
        self._asked = 0
        self._design: list[Configuration] | None = None
        self._notes: dict[Key, dict[str, Any]] = {}
        self.tell(problem.history)

    # -- protocol
    def ask(self, n: int = 1) -> list[Configuration]:
        found = []
        for _ in range(n):
            c = self._next()
            if c is None:
                break
            self._pending[self._candidates.key(c)] = c
            self._asked += 1
            found.append(c)
        return found

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            try:
                c = self._space.normalise(trial.configuration)
            except Exception:
                continue
            v = trial.objective
            value = None if v is None or not math.isfinite(v) else float(v) * self._sign
            k = self._candidates.key(c)
            self._pending.pop(k, None)
            self._told[k] = (c, value, trial)

    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        return self._notes.get(self._candidates.key(configuration), {})

    # -- steps
    def _next(self) -> Configuration | None:
        if self._asked < self._n0:
            if self._design is None:
                self._design = self._make_design()
            while self._design:
                c = self._design.pop(0)
                k = self._candidates.key(c)
                if k not in self._told and k not in self._pending:
                    return c
        return self._model_step()

    def _make_design(self) -> list[Configuration]:
        s, rng = self._s, self._rng
        pool = self._space.sample(300, rng, unique=True)
        chosen: list[Configuration] = []
        default = self._space.default()
        if all(p.default is not None for p in self._space.parameters) and self._space.feasible(
            default
        ):
            chosen.append(default)
        if s.design == "random":
            return (chosen + pool)[: self._n0]
        x = self._features.encode(pool)
        if s.design == "median":
            # k-medoids-like: nearest pool members to k-means centres
            from scipy.cluster.vq import kmeans2

            k = self._n0 - len(chosen)
            if len(pool) <= k:
                return chosen + pool
            _, label = kmeans2(x, k, minit="++", seed=rng)
            for g in range(k):
                idx = np.flatnonzero(label == g)
                if len(idx):
                    centre = x[idx].mean(0)
                    chosen.append(pool[idx[np.argmin(((x[idx] - centre) ** 2).sum(1))]])
            return chosen
        if not chosen:
            chosen.append(pool[0])
        have = self._features.encode(chosen)
        dist = np.min(((x[:, None, :] - have[None]) ** 2).sum(-1), axis=1)
        while len(chosen) < self._n0 and dist.max() > 0:
            i = int(np.argmax(dist))
            chosen.append(pool[i])
            dist = np.minimum(dist, ((x - x[i]) ** 2).sum(1))
        return chosen

    def _model_step(self) -> Configuration | None:
        s = self._s
        rng = np.random.default_rng([self._seed, 1, self._asked])
        rows = list(self._told.values())
        known = set(self._told) | set(self._pending)
        good = [(c, v) for c, v, _ in rows if v is not None]
        failed = [c for c, v, _ in rows if v is None]
        parts = []
        fit = None
        if len(good) >= 1:
            y, scale = self._outputs(np.array([v for _, v in good]))
            x = self._features.encode([c for c, _ in good])
            fit = self._gp.fit(x, y, starts=s.starts)
            mean, _ = fit.predict(x)
            if self._pending:
                px = self._features.encode(list(self._pending.values()))
                pm, _ = fit.predict(px)
                from daybreak_baco.default.model import Fit

                x2, y2 = np.vstack([x, px]), np.concatenate([y, pm])
                fit = Fit(x2, y2, self._features.member, fit.hyper, np.zeros(len(y2)))
            incumbent = float(mean.min() if s.incumbent == "mean" else y.min())
            order = np.argsort(mean, kind="stable")
            best = [good[i][0] for i in order[:5]]
        else:
            best = []
        ffit = None
        if failed and s.feas == "gp":
            label = np.array([1.0] * len(good) + [0.0] * len(failed))
            fx = self._features.encode([c for c, _ in good] + failed)
            rate = (len(good) + 1.0) / (len(label) + 1.0)
            ffit = self._fgp.fit(fx, (label - 0.5) * 2, starts=1)

        def score(x):
            total = np.zeros(len(x))
            if fit is not None:
                m, sd = fit.predict(x)
                if s.acq == "ei":
                    total = log_expected_improvement(m, sd, incumbent - s.xi)
                elif s.acq == "ucb":
                    total = -(m - s.beta * sd)
            if ffit is not None:
                from scipy.special import log_ndtr

                m, sd = ffit.predict(x)
                total = total + s.feas_power * log_ndtr((m + 0.3) / np.sqrt(0.15 + sd**2))
            return total

        return self._candidates.best(score, known, best, rng)

    def _outputs(self, values):
        s = self._s
        y = values
        if s.output.startswith("log") and y.min() > 0:
            y = np.log(y)
        if s.output.endswith("wins"):
            med = np.median(y)
            lo = med - y.min()
            # squash what is much worse than the median
            up = max(med - y.min(), 1e-12) * 2
            y = np.where(y > med + up, med + up * (1 + np.log1p((y - med - up) / up) * 0.5), y)
        if s.output.endswith("rank"):
            from scipy.special import ndtri

            r = np.argsort(np.argsort(y))
            q = ndtri((r + 0.5) / len(y))
            z = (y - y.mean()) / (y.std() or 1.0)
            y = q if s.output == "rank" else 0.5 * (q + z)
        sd = y.std()
        return (y - y.mean()) / (sd if sd > 1e-12 else 1.0), sd
