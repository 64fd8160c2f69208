"""A plugin with nothing wrong: it must go on working beside every broken one."""

from __future__ import annotations

from daybreak.plugin import OptimizerSpec, hookimpl

DAYBREAK_API = "1.0"

#: what the observer saw
SEEN: list[object] = []


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="good-coin",
            factory="good:Coin",
            summary="Tosses a coin",
            requires=("packaging>=20",),
        )
    ]


@hookimpl
def daybreak_trial_finished(study, trial):
    SEEN.append((study, trial))


class Coin:
    def __init__(self, problem, options):
        self.problem = problem
