"""The default preset."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import log_ndtr, ndtri

from daybreak import Configuration, Direction, Problem, Trial
from daybreak_baco.default.acquisition import log_expected_improvement
from daybreak_baco.default.candidates import Candidates
from daybreak_baco.default.coding import Coding
from daybreak_baco.default.features import Features
from daybreak_baco.default.model import Fit, GaussianProcess, Prior
from daybreak_baco.default.options import DefaultOptions
from daybreak_baco.default.settings import Settings

__all__ = ["DefaultBaco"]


class DefaultBaco:
    """Bayesian optimisation."""

    def __init__(self, problem: Problem, options: DefaultOptions, settings: Settings | None = None) -> None:
        s = self._s = settings or Settings()
        self._space = space = problem.space
        self._seed = problem.seed
        self._sign = -1.0 if problem.objectives and problem.objectives[0].direction is Direction.MAXIMIZE else 1.0
        self._coding = Coding(space)
        from daybreak_baco.default import model as _m
        _m.KERNEL[0] = s.kernel
        self._features = Features(space, self._coding, problem.seed, s)
        self._candidates = Candidates(space, self._coding, self._features, s)
        self._told: dict[bytes, tuple[np.ndarray, float | None, float]] = {}
        self._pending: dict[bytes, np.ndarray] = {}
        d = len(self._coding.free)
        G = len(self._features.groups)
        length = (s.length_mean + s.length_dim * math.log(max(1, G)), s.length_sd)
        self._gp = GaussianProcess(self._features.member, Prior(length, (0.0, s.signal_sd), (s.noise_mean, s.noise_sd)))
        self._fgp = GaussianProcess(self._features.member, Prior(length, (0.0, s.signal_sd), (s.fnoise, 1.0), 1e-2))
        self._n0 = s.n0 or max(4, min(10, d + 1))
        if problem.budget.evaluations:
            self._n0 = min(self._n0, max(2, problem.budget.evaluations // 3))
        self._asked = 0
        self._design: list[np.ndarray] | None = None
        self._notes: dict[bytes, dict[str, Any]] = {}
        self.tell(problem.history)

    def ask(self, n: int = 1) -> list[Configuration]:
        found = []
        for _ in range(n):
            row = self._next()
            if row is None:
                break
            self._pending[row.tobytes()] = row
            self._asked += 1
            found.append(self._coding.configurations(row[None])[0])
        return found

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            try:
                row = self._coding.codes([self._space.normalise(trial.configuration)])[0]
            except Exception:
                continue
            v = trial.objective
            value = None if v is None or not math.isfinite(v) else float(v) * self._sign
            k = row.tobytes()
            self._pending.pop(k, None)
            o = trial.outcome
            rel = 0.0
            if value and o.low and o.high and o.low > 0:
                rel = (o.high - o.low) / 2 / abs(value) / 1.96
            self._told[k] = (row, value, rel)

    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        return {}

    def _next(self):
        if self._asked < self._n0:
            if self._design is None:
                self._design = list(self._make_design())
            while self._design:
                row = self._design.pop(0)
                k = row.tobytes()
                if k not in self._told and k not in self._pending:
                    return row
        return self._model_step()

    def _make_design(self):
        s = self._s
        rng = np.random.default_rng([self._seed, 77])
        pool = self._coding.codes(self._space.sample(s.pool, rng, unique=True))
        default = self._space.default()
        if all(p.default is not None for p in self._space.parameters) and self._space.feasible(default):
            pool = np.vstack([self._coding.codes([default]), pool])
            first = True
        else: first = False
        if s.design == "random":
            return pool[: self._n0]
        x = self._features.encode(pool)
        if s.design == "median":
            from scipy.cluster.vq import kmeans2
            k = self._n0 - first
            if len(pool) <= k:
                return pool
            _, label = kmeans2(x, k, minit="++", seed=rng)
            chosen = [0] if first else []
            for g in range(k):
                idx = np.flatnonzero(label == g)
                if len(idx):
                    chosen.append(idx[np.argmin(((x[idx] - x[idx].mean(0)) ** 2).sum(1))])
            return pool[chosen]
        if s.design == "swap":   # maximin over random subsets
            best, arg = -1, None
            for _ in range(30):
                idx = np.concatenate([[0], rng.permutation(len(pool) - 1)[: self._n0 - 1] + 1])
                d = ((x[idx][:, None] - x[idx][None]) ** 2).sum(-1)
                m = d[np.triu_indices(len(idx), 1)]
                v = np.sort(m)[: max(1, len(m) // 5)].mean() if len(m) else 0
                if v > best: best, arg = v, idx
            return pool[arg]
        chosen = [0]
        dist = ((x - x[0]) ** 2).sum(1)
        while len(chosen) < self._n0 and dist.max() > 0:
            i = int(np.argmax(dist))
            chosen.append(i)
            dist = np.minimum(dist, ((x - x[i]) ** 2).sum(1))
        return pool[chosen]

    def _model_step(self):
        s = self._s
        rng = np.random.default_rng([self._seed, 1, self._asked])
        told = list(self._told.values())
        known = set(self._told) | set(self._pending)
        good = np.array([r for r, v, _ in told if v is not None])
        failed = [r for r, v, _ in told if v is None]
        fit = None
        best = good
        if len(good):
            values = np.array([v for _, v, _ in told if v is not None])
            rel = np.array([e for _, v, e in told if v is not None])
            y, scale = self._outputs(values)
            extra = (rel / scale) ** 2 if s.measured and scale > 0 else None
            x = self._features.encode(good)
            xf, yf = x, y
            if s.impute and failed:
                fxx = self._features.encode(np.array(failed))
                xf = np.vstack([x, fxx]); yf = np.concatenate([y, np.full(len(fxx), np.quantile(y, s.impute))])
                extra = None
            fit = self._gp.fit(xf, yf, extra, starts=s.starts, steps=s.steps)
            mean, _ = fit.predict(x)
            if self._pending:
                px = self._features.encode(np.array(list(self._pending.values())))
                pm, _ = fit.predict(px)
                x2, y2 = np.vstack([x, px]), np.concatenate([y, pm])
                fit = Fit(x2, y2, self._features.member, fit.hyper, np.zeros(len(y2)))
            incumbent = float(mean.min() if s.incumbent == "mean" else y.min())
            order = np.argsort(mean if s.incumbent == "mean" else y, kind="stable")
            best = good[order[: s.top]]
        ffit = None
        if failed and s.feas == "gp":
            label = np.array([1.0] * len(good) + [-1.0] * len(failed))
            fx = self._features.encode(np.array([*good, *failed]))
            ffit = self._fgp.fit(fx, label, starts=1, steps=s.steps)
            if s.fprior:
                ffit.mean0 = 0
        trees = None
        if failed and s.feas == "rf" and len(good):
            from sklearn.ensemble import ExtraTreesClassifier
            trees = ExtraTreesClassifier(30, min_samples_leaf=1, random_state=0).fit(self._features.encode(np.array([*good, *failed])), np.array([1] * len(good) + [0] * len(failed)))
        n = len(told)
        fits = [fit]
        if fit is not None and s.samples > 1:
            fits = self._gp.spread(xf, yf, extra, s.samples, rng, s.width)
            if not s.replace:
                fits = [fit, *fits[:-1]]
            incs = []
            for f in fits:
                mm = f.predict(x)[0]
                incs.append(float(mm.min() if s.incumbent == "mean" else y.min()))
        elif fit is not None:
            incs = [incumbent]
        greedy = s.greedy and self._asked % s.greedy == s.greedy - 1
        forest = None
        if s.forest and len(good) >= 5:
            from sklearn.ensemble import ExtraTreesRegressor
            forest = ExtraTreesRegressor(40, min_samples_leaf=1, max_features=0.7, random_state=0).fit(x, y)

        def score(x):
            total = np.zeros(len(x))
            if fit is not None:
                if greedy:
                    total = -20 * np.mean([f.predict(x)[0] for f in fits], axis=0)
                elif s.acq == "ei":
                    parts = []
                    for f, inc in zip(fits, incs):
                        m, sd = f.predict(x)
                        if forest is not None:
                            w = s.forest
                            t = np.array([e.predict(x.astype(np.float32)) for e in forest.estimators_])
                            tm, tv = t.mean(0), t.var(0)
                            mm = (1 - w) * m + w * tm
                            sd = np.sqrt((1 - w) * (sd**2 + (m - mm) ** 2) + w * (tv + (tm - mm) ** 2))
                            m = mm
                        parts.append(log_expected_improvement(m, sd, inc - s.xi))
                    total = parts[0] if len(parts) == 1 else np.logaddexp.reduce(parts, axis=0)
                elif s.acq == "ucb":
                    m, sd = fit.predict(x)
                    total = -(m - s.beta * sd)
                elif s.acq == "pi":
                    m, sd = fit.predict(x)
                    total = log_ndtr((incumbent - s.xi - m) / sd)
            if ffit is not None:
                m, sd = ffit.predict(x)
                total = total + s.feas_power * log_ndtr((m + s.fshift) / np.sqrt(s.ftemp + sd**2))
            if trees is not None:
                p = trees.predict_proba(x)[:, 1]
                total = total + s.feas_power * np.log((p * 30 + 1) / 32)
            return total

        return self._candidates.best(score, known, best, rng)

    def _outputs(self, values):
        s = self._s
        y = values
        if s.output.startswith("log") and y.min() > 0:
            y = np.log(y)
        if s.output.endswith("wins"):
            med = np.median(y)
            up = max(med - y.min(), 1e-12) * s.wins
            y = np.where(y > med + up, med + up * (1 + np.log1p(np.maximum(y - med - up, 0) / up) * 0.5), y)
        if s.output.endswith("rank"):
            r = np.argsort(np.argsort(y)); q = ndtri((r + 0.5) / len(y))
            z = (y - y.mean()) / (y.std() or 1.0)
            y = q if s.output == "rank" else 0.5 * (q + z)
        sd = y.std()
        return (y - y.mean()) / (sd if sd > 1e-12 else 1.0), float(sd)
