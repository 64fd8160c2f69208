"""Distributions of parameters: their JSON of all versions, and the search space that they span."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from daybreak import Categorical, Integer, Ordinal, Parameter, Real, Space, SpaceError
from daybreak_importers.text import find_number, load_json, scrub

__all__ = ["Distribution", "parse_distribution", "span"]

#: A stepped range of at most so many values becomes a list of them.
_MOST_VALUES = 10_000

_INTEGERS = frozenset({"IntDistribution", "IntUniformDistribution", "IntLogUniformDistribution"})
_REALS = frozenset(
    {
        "FloatDistribution",
        "UniformDistribution",
        "LogUniformDistribution",
        "DiscreteUniformDistribution",
    }
)


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a parameter's numbers mean: `choices` of a categorical, else a range."""

    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    log: bool = False
    whole: bool = False
    choices: tuple[Any, ...] | None = None

    def value(self, internal: float) -> int | float | str | bool:
        """Return the value that an internal number stands for.

        Raises:
            ValueError: it stands for none: no such choice, no finite number.
        """
        if self.choices is not None:
            if not math.isfinite(internal) or not 0 <= int(internal) < len(self.choices):
                raise ValueError(f"there is no choice {internal}")
            return plain_choice(self.choices[int(internal)])
        if not math.isfinite(internal):
            raise ValueError(f"{internal} is no value")
        return round(internal) if self.whole else float(internal)


def plain_choice(choice: Any) -> int | float | str | bool:
    """Return a choice as a value of Daybreak's: what is no text, number or truth value becomes text."""
    if isinstance(choice, bool | int | str):
        return scrub(choice) if isinstance(choice, str) else choice
    if isinstance(choice, float) and math.isfinite(choice):
        return choice
    return repr(scrub(choice))


def parse_distribution(text: str) -> Distribution:
    """Return the distribution of a JSON text, current, abbreviated or of an earlier version.

    Raises:
        ValueError: it is none.
    """
    content = load_json(text)
    if not isinstance(content, dict):
        raise ValueError("no JSON object")
    name, given = content.get("name"), content.get("attributes")
    if name is None:  # abbreviated
        name = {
            "categorical": "CategoricalDistribution",
            "int": "IntDistribution",
            "float": "FloatDistribution",
        }.get(str(content.get("type")))
        given = content
    if not isinstance(given, dict):
        raise ValueError("no attributes")
    if name == "CategoricalDistribution":
        choices = given.get("choices")
        if not isinstance(choices, list) or not choices:
            raise ValueError("no choices")
        return Distribution(choices=tuple(choices))
    if name not in _INTEGERS and name not in _REALS:
        raise ValueError(f"unknown distribution {str(name)[:60]}")
    low, high = find_number(given.get("low")), find_number(given.get("high"))
    if low is None or high is None or low > high:
        raise ValueError("no range")
    step = find_number(given.get("step", given.get("q")))
    log = bool(given.get("log", "Log" in str(name)))
    return Distribution(low, high, step, log, str(name) in _INTEGERS)


def span(
    distributions: Mapping[str, Iterable[Distribution]],
) -> tuple[Space | None, list[str]]:
    """Return the space that the trials' distributions span, and sentences about what it cannot say.

    A parameter whose range changed gets the union of its ranges. None: there are no parameters, or
    they contradict each other.
    """
    notes: list[str] = []
    parameters: list[Parameter] = []
    try:
        for name, every in distributions.items():
            parameters.append(_parameter(name, list(every), notes))
        space = Space(parameters) if parameters else None
    except (SpaceError, ValueError, OverflowError) as error:
        first = str(error).splitlines()[0]
        return None, [*notes, f"the search space cannot be told: {first}"]
    return space, notes


def _parameter(name: str, every: list[Distribution], notes: list[str]) -> Parameter:
    choices: dict[tuple[type, object], None] = {}
    for one in every:
        for choice in one.choices or ():
            value = plain_choice(choice)
            choices[type(value), value] = None
    ranges = [one for one in every if one.choices is None]
    if choices and ranges:
        raise ValueError(f"'{name}' is a list of choices in some trials, a range in others")
    if choices:
        return Categorical(name, tuple(value for _, value in choices))  # type: ignore[misc]
    low, high = min(one.low for one in ranges), max(one.high for one in ranges)
    log = all(one.log for one in ranges)
    if len({(one.low, one.high) for one in ranges}) > 1:
        notes.append(f"the range of '{name}' changed between trials: the union is taken")
    steps = {one.step for one in ranges}
    step = steps.pop() if len(steps) == 1 else None
    whole = all(one.whole for one in ranges)
    if step and (not whole or step != 1):
        count = math.floor((high - low) / step + 1e-9) + 1
        if count <= _MOST_VALUES:
            values = [low + i * step for i in range(count)]
            if whole:
                return Ordinal(name, tuple(round(value) for value in values))
            # as Optuna rounds them: to the decimals of the step
            return Ordinal(name, tuple(float(f"{value:.12g}") for value in values))
        notes.append(f"the step {step:g} of '{name}' is not kept: there are {count} values")
    if whole:
        return Integer(name, round(low), round(high), log=log)
    return Real(name, low, high, log=log)
