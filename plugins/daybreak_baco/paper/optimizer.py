"""BaCO as published: one proposal at a time, from a model that is fitted anew each time."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from daybreak import Configuration, Direction, Problem, Trial
from daybreak_baco.gp import GaussianProcess
from daybreak_baco.paper.encoder import Encoder
from daybreak_baco.paper.feasibility import FeasibilityForest, draw_threshold
from daybreak_baco.paper.neighbours import Neighbourhood
from daybreak_baco.paper.options import PaperOptions
from daybreak_baco.paper.scale import OutputScale, standardise
from daybreak_baco.paper.search import maximise
from daybreak_baco.paper.surrogate import expected_improvement, fit_surrogate, predict

__all__ = ["PaperBaco"]

_Floats = NDArray[np.float64]
_Values: TypeAlias = dict[str, Any]
#: draws for a configuration that was not evaluated yet, before a repetition is accepted
_PATIENCE = 64


class PaperBaco:
    """The optimizer of preset `paper`.

    It optimises the first objective, proposes one configuration at a time once the design is done,
    and may propose a configuration again, all as the published code does. See
    docs/optimizers/baco.md for every departure from it.
    """

    def __init__(self, problem: Problem, options: PaperOptions) -> None:
        self._space = problem.space
        self._options = options
        self._maximise = problem.objectives[0].direction is Direction.MAXIMIZE
        self._rng = np.random.default_rng(problem.seed)
        self._encoder = Encoder(problem.space, options.permutation, log=options.log_inputs)
        self._neighbourhood = Neighbourhood(problem.space, self._rng)
        self._configurations: list[_Values] = []
        #: objectives of the trials, NaN where they failed
        self._values: list[float] = []
        #: every configuration told or proposed
        self._seen: set[str] = set()
        self._design: deque[_Values] | None = None
        self._beliefs: dict[str, dict[str, Any]] = {}
        self.tell(problem.history)

    def ask(self, n: int = 1) -> list[Configuration]:
        """Propose the next of the design, up to `n`, or one configuration of the model's choice."""
        if self._design is None:
            self._design = self._draw_design()
        self._beliefs = {}
        asked: list[Configuration] = []
        while self._design and len(asked) < n:
            asked.append(self._proposed(self._design.popleft(), {"source": "design"}))
        if not asked and n > 0:
            asked.append(self._next())
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        """Take results, also of others; what lies outside the space teaches nothing."""
        for trial in trials:
            if trial.configuration not in self._space:
                continue
            configuration = self._space.normalise(trial.configuration)
            value = trial.objective
            self._configurations.append(configuration)
            self._values.append(
                float(value) if value is not None and math.isfinite(value) else math.nan
            )
            self._seen.add(_key(configuration))

    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        """Return what was believed of a configuration of the last `ask`."""
        return self._beliefs.get(_key(configuration), {"source": "design"})

    # -- the design ---------------------------------------------------------------------------

    def _draw_design(self) -> deque[_Values]:
        """Draw the design: the default first, then random ones; earlier trials count for it."""
        wanted = self._options.design or len(self._space.parameters) + 1
        left = max(0, wanted - len(self._configurations))
        design: list[_Values] = []
        default = self._default()
        if left and default is not None and _key(default) not in self._seen:
            design.append(default)
        known = self._seen | {_key(one) for one in design}
        # as many more as are known are drawn, so that enough remain when these are left out
        drawn = self._space.sample(left + len(known), self._rng, unique=True)
        fresh = [one for one in drawn if _key(one) not in known]
        return deque((design + fresh)[:left])

    def _default(self) -> _Values | None:
        """Return the default configuration, if every parameter has one and it is feasible."""
        if not self._options.default_first:
            return None
        if any(parameter.default is None for parameter in self._space.parameters):
            return None
        default = self._space.default()
        return default if self._space.feasible(default) else None

    # -- the model ----------------------------------------------------------------------------

    def _next(self) -> Configuration:
        succeeded = np.isfinite(np.asarray(self._values))
        if not succeeded.any():
            return self._random("nothing has succeeded yet")
        # the published code draws even where epsilon is 0
        if self._rng.random() < self._options.epsilon:
            return self._random("epsilon-greedy")
        scaled = standardise(
            np.asarray(self._values)[succeeded],
            log=self._options.log_output,
            maximise=self._maximise,
        )
        if scaled is None:
            return self._random("a single result, or all of them equal")
        z, scale = scaled
        x = self._encoder(self._configurations)
        process = fit_surrogate(x[succeeded], z, self._options, self._rng)
        if process is None:
            return self._random("the model could not be fitted")
        forest = None
        if self._options.feasibility and not succeeded.all():
            forest = FeasibilityForest(x, succeeded, self._rng)
        return self._best(process, forest, float(z.min()), scale)

    def _best(
        self,
        process: GaussianProcess,
        forest: FeasibilityForest | None,
        incumbent: float,
        scale: OutputScale,
    ) -> Configuration:
        """Propose the configuration of the largest acquisition."""
        threshold = draw_threshold(self._options.feasibility_threshold, self._rng)
        xi = self._options.exploration

        def score(x: _Floats) -> _Floats:
            mean, deviation = predict(process, x)
            acquisition = expected_improvement(mean, deviation, incumbent, xi)
            if forest is not None:
                probability = forest.probability(x)
                acquisition = acquisition * probability * (probability >= threshold)
            return acquisition

        def acquisition(configurations: Sequence[_Values]) -> _Floats:
            if not configurations:
                return np.zeros(0)
            return score(self._encoder(configurations))

        candidates = self._space.sample(self._options.candidates, self._rng, unique=True)
        x = self._encoder(candidates)
        found = maximise(
            acquisition, candidates, score(x), self._options.climbs, self._neighbourhood
        )
        at = self._encoder([found.configuration])
        mean, deviation = predict(process, at)
        centre, spread = scale.belief(float(mean[0]), float(deviation[0]))
        lengthscales = process.hyperparameters.lengthscales
        belief = {
            "source": "local" if found.climbed else "model",
            "mean": centre,
            "deviation": spread,
            "feasibility": 1.0 if forest is None else float(forest.probability(at)[0]),
            "acquisition": found.value,
            "lengthscales": dict(zip(self._encoder.names, lengthscales.tolist(), strict=True)),
            "importance": self._encoder.importance(lengthscales, x),
            "threshold": threshold,
        }
        return self._proposed(found.configuration, belief)

    # -- proposals ----------------------------------------------------------------------------

    def _random(self, note: str) -> Configuration:
        """Propose a random configuration that was not evaluated yet, where there is one."""
        configuration: _Values = {}
        for _ in range(_PATIENCE):
            configuration = self._space.sample(1, self._rng)[0]
            if _key(configuration) not in self._seen:
                break
        return self._proposed(configuration, {"source": "random", "note": note})

    def _proposed(self, configuration: _Values, belief: dict[str, Any]) -> Configuration:
        key = _key(configuration)
        belief["duplicates"] = int(key in self._seen)
        self._seen.add(key)
        self._beliefs[key] = {name: one for name, one in belief.items() if _is_plain(one)}
        return dict(configuration)


def _is_plain(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _key(configuration: Configuration) -> str:
    return json.dumps(dict(configuration), sort_keys=True, default=str)
