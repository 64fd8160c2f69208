"""The search space: typed parameters with known constraints.

Trees are built on the first call that needs them (count, sample, neighbours, grid) and kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from daybreak.errors import SpaceError, nearest
from daybreak.records import Configuration, Value
from daybreak.space.chain import activity_order, make_parts
from daybreak.space.constraint import Constraint, activity_constraint, parse_constraint
from daybreak.space.parameters import (
    Categorical,
    Parameter,
    Program,
    Real,
    parameter_from_dict,
)
from daybreak.space.parts import Part, TreePart

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from daybreak.space.quantities import Quantity

__all__ = ["Space"]

_FORMAT = 1


class Space:
    """A search space.

    Args:
        parameters: one or more parameters with distinct names.
        constraints: expressions (text, or parsed) that every feasible configuration satisfies, or
            listed rows (`Rows`, or its description).
        name: for messages; takes no part in equality or the fingerprint.
        references: named configurations that came with the space, e.g. `expert`; they need not be
            feasible.
        published: sizes and the like that the source of the space states.
        notes: what the source says about the space.
        clipped: allow constraints to name values that their parameter does not have, as happens
            when a parameter of a space that was checked before is clipped.

    Attributes:
        conditions: the constraints derived from the parameters' `when`.

    Raises:
        SpaceError: no parameters, duplicate names, a constraint that cannot be parsed or makes no
            sense for the parameters, or conditions that depend on each other in a circle.
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        constraints: Iterable[str | Constraint | Mapping[str, Any]] = (),
        name: str = "",
        *,
        references: Mapping[str, Configuration] | None = None,
        published: Mapping[str, Any] | None = None,
        notes: Iterable[str] = (),
        clipped: bool = False,
    ) -> None:
        self.name = name
        if not isinstance(parameters, Iterable):
            raise SpaceError(f"`parameters` must be a list, not {parameters!r}")
        self.parameters: tuple[Parameter, ...] = tuple(parameters)
        self._by_name: dict[str, Parameter] = {}
        if not self.parameters:
            raise SpaceError("a search space needs at least one parameter")
        for parameter in self.parameters:
            if not isinstance(parameter, Parameter):
                raise SpaceError(f"{parameter!r} is no parameter", expected="Real, Integer, ...")
            if parameter.name in self._by_name:
                raise SpaceError(f"two parameters are named '{parameter.name}'")
            self._by_name[parameter.name] = parameter
        self.names: tuple[str, ...] = tuple(self._by_name)
        if isinstance(constraints, str) or not isinstance(constraints, Iterable):
            raise SpaceError(f"`constraints` must be a list of texts, not {constraints!r}")
        self.constraints: tuple[Constraint, ...] = tuple(
            _constraint_of(constraint) for constraint in constraints
        )
        for constraint in self.constraints:
            constraint.check(self._by_name, clipped=clipped)
        self.conditions = self._derive_conditions(clipped)
        self.references: dict[str, Configuration] = {
            key: self._lenient(configuration) for key, configuration in (references or {}).items()
        }
        self.published: dict[str, Any] = dict(published or {})
        self.notes: tuple[str, ...] = tuple(notes)
        self._parts: list[Part] | None = None
        # every study of a run asks for it, and listed rows make it slow
        self._fingerprint: str | None = None
        self._truths = any(
            isinstance(value, bool)
            for parameter in self.parameters
            if isinstance(parameter, Categorical)
            for value in parameter.values
        )

    def _derive_conditions(self, clipped: bool) -> tuple[Constraint, ...]:
        conditional = [p for p in self.parameters if p.when is not None]
        for parameter in conditional:
            condition = parse_constraint(str(parameter.when))
            condition.check(self._by_name, clipped=clipped)
        self._activity = [
            (p, parse_constraint(str(p.when)))
            for p in activity_order(self.parameters)
            if p.when is not None
        ]
        return tuple(activity_constraint(parameter) for parameter in conditional)

    def _lenient(self, configuration: Configuration) -> dict[str, Value]:
        """Bring values into their parameters' types where they fit, leave the others alone."""
        return {
            name: self._by_name[name].normalise(value)
            if name in self._by_name and self._by_name[name].contains(value)
            else tuple(value)
            if isinstance(value, list)
            else value
            for name, value in configuration.items()
        }

    # -- size ---------------------------------------------------------------------------------

    @property
    def size(self) -> int | None:
        """Number of combinations before constraints; None with real or program parameters."""
        sizes = [parameter.size for parameter in self.parameters]
        if any(size is None for size in sizes):
            return None
        return math.prod(size for size in sizes if size is not None)

    @property
    def parts(self) -> list[Part]:
        """The independent parts, in order of their first parameter; built on first use.

        Raises:
            SpaceError: no configuration satisfies the constraints; names those at fault.
        """
        if self._parts is None:
            self._parts = make_parts(
                self._by_name, [*self.constraints, *self.conditions], self.name
            )
        return self._parts

    def count(self) -> int | None:
        """Return the exact number of feasible configurations; None with reals or programs.

        Raises:
            SpaceError: the space is empty, or linked parameters have too many combinations.
        """
        total = 1
        for part in self.parts:
            count = part.count()
            if count is None:
                return None
            total *= count
        return total

    def leaf_counts(self) -> dict[tuple[str, ...], int]:
        """Return the number of leaves of every tree, by its parameters."""
        return {part.names: part.count() for part in self.parts if isinstance(part, TreePart)}

    # -- drawing ------------------------------------------------------------------------------

    def sample(
        self,
        n: int,
        rng: np.random.Generator | int,
        *,
        method: str = "uniform",
        unique: bool = False,
    ) -> list[dict[str, Value]]:
        """Draw `n` feasible configurations.

        Args:
            n: how many.
            rng: a NumPy generator, or a seed for one.
            method: `uniform`, every feasible configuration equally likely (reals: uniform on
                their scale), or `path`, a walk down each tree that picks uniformly among the
                children of a node, which favours sparse branches (as ATF does).
            unique: draw without replacement. With `n` at or above `count()`, returns every
                configuration once, in random order: fewer than `n`.

        Raises:
            SpaceError: the space is empty, or so nearly empty that rejection sampling of its real
                parameters fails.
        """
        from daybreak.space.sampling import sample

        return sample(self, n, rng, method=method, unique=unique)

    def grid(self) -> Iterator[dict[str, Value]]:
        """Yield every feasible configuration once, one at a time, never a list of all.

        Order: the parts are like the digits of a number, ordered by their first parameter, the
        last one running fastest; within a part, lexicographic in order of declaration, values
        ascending (ordinal, integer), as listed (categorical) or lexicographic (permutation).

        Raises:
            SpaceError: the space has real or program parameters, or is empty.
        """
        if self.count() is None:
            raise SpaceError(
                f"search space {self.name!r} has real or program parameters: its configurations "
                "cannot be listed",
                remedy="use `sample`, or ordinal parameters",
            )
        return self._walk()

    def at(self, index: int) -> dict[str, Value]:
        """Return the configuration that `grid` yields as number `index`, without listing others.

        Raises:
            SpaceError: the space has real or program parameters, or is empty.
            IndexError: `index` is negative or not below `count()`.
        """
        count = self.count()
        if count is None:
            raise SpaceError(
                f"search space {self.name!r} has real or program parameters: its configurations "
                "have no numbers"
            )
        if not 0 <= index < count:
            raise IndexError(f"configuration {index} of {count}")
        found: dict[str, Value] = {}
        for part in reversed(self.parts):
            index, digit = divmod(index, part.count() or 1)
            found.update({name: column[0] for name, column in part.columns([digit]).items()})
        return {name: found[name] for name in self.names}

    def _walk(self) -> Iterator[dict[str, Value]]:
        parts = self.parts
        walks = [part.walk() for part in parts]
        current: dict[str, Value] = {}
        for walk in walks:
            current.update(next(walk))
        while True:
            yield {name: current[name] for name in self.names}
            # like an odometer: step the last part, on overflow restart it and step the one before
            for i in range(len(parts) - 1, -1, -1):
                step = next(walks[i], None)
                if step is not None:
                    current.update(step)
                    break
                walks[i] = parts[i].walk()
                current.update(next(walks[i]))
            else:
                return

    def neighbours(self, configuration: Configuration) -> list[dict[str, Value]]:
        """Return the feasible configurations one step from `configuration`.

        See `daybreak.space.neighbours` for what a step is for each type of parameter.

        Raises:
            SpaceError: `configuration` does not fit the parameters.
        """
        from daybreak.space.neighbours import neighbours

        return neighbours(self, configuration)

    # -- membership ---------------------------------------------------------------------------

    def __contains__(self, configuration: object) -> bool:
        """Say whether `configuration` has a value for every parameter and is feasible."""
        # `dict` first: asking the abstract class takes longer than the look-up
        if not isinstance(configuration, dict) and not isinstance(configuration, Mapping):
            return False
        if len(configuration) != len(self.names):
            return False
        # values of the right type, the usual case, are looked up as they are; a truth value must
        # not pass for 0 or 1 nor the other way round, and what cannot be looked up (a list) is
        # normalised first
        plain = self._parts is not None and not self._truths
        if plain and bool not in map(type, configuration.values()):
            try:
                return self.feasible(configuration)
            except (KeyError, TypeError):
                pass
        try:
            configuration = self.normalise(configuration)
        except SpaceError:
            return False
        return self.feasible(configuration)

    def feasible(self, configuration: Configuration) -> bool:
        """Say whether an already normalised configuration satisfies all constraints.

        For values as `sample`, `grid`, `neighbours` and `normalise` return them; quicker than
        `in`, which takes anything. Looks up the trees where they are built, else tests the
        constraints.
        """
        if self._parts is not None:
            for part in self._parts:  # noqa: SIM110 - `all` costs as much as the look-ups
                if not part.find(configuration):
                    return False
            return True
        return all(c.test(configuration) for c in self.constraints) and all(
            c.test(configuration) for c in self.conditions
        )

    def violations(self, configuration: Configuration) -> list[str]:
        """Return what is wrong with `configuration`, a sentence each; empty if it is feasible."""
        if not isinstance(configuration, Mapping):
            return [f"{configuration!r} is not a mapping of names to values"]
        found = []
        values: dict[str, Value] = {}
        for name in configuration:
            if name not in self._by_name:
                close = nearest(str(name), self.names)
                hint = f"; did you mean '{close}'?" if close else ""
                found.append(f"there is no parameter '{name}'{hint}")
        for name, parameter in self._by_name.items():
            if name not in configuration:
                found.append(f"'{name}' has no value")
                continue
            try:
                values[name] = parameter.normalise(configuration[name])
            except SpaceError as error:
                found.append(f"'{name}': {error.message} (expected: {error.expected})")
        for constraint in (*self.constraints, *self.conditions):
            if values.keys() >= set(constraint.names) and not constraint.holds(values):
                given = ", ".join(f"{name} = {values[name]!r}" for name in constraint.names)
                found.append(f"`{constraint.text}` does not hold for {given}")
        return found

    def check(self, configuration: Configuration) -> None:
        """Do nothing if `configuration` is feasible.

        Raises:
            SpaceError: it is not; lists every violation.
        """
        found = self.violations(configuration)
        if found:
            raise SpaceError(
                "the configuration is not in the search space"
                + (f" {self.name!r}" if self.name else "")
                + "".join(f"\n  - {violation}" for violation in found)
            )

    def normalise(self, configuration: Configuration) -> dict[str, Value]:
        """Return `configuration` in order of declaration with values in their own types.

        JSON lists become tuples, 4.0 becomes 4 where the value is a whole number, NumPy scalars
        become Python's. Constraints are not tested.

        Raises:
            SpaceError: an unknown or missing name, or a value that is none of its parameter's.
        """
        if not isinstance(configuration, Mapping):
            raise SpaceError(f"{configuration!r} is not a mapping of names to values")
        if configuration.keys() != self._by_name.keys():
            for name in configuration:
                if name not in self._by_name:
                    raise SpaceError(
                        f"there is no parameter '{name}'",
                        expected=", ".join(self.names),
                        nearest=nearest(str(name), self.names),
                    )
            missing = [name for name in self.names if name not in configuration]
            raise SpaceError("there is no value for " + ", ".join(f"'{m}'" for m in missing))
        return {name: p.normalise(configuration[name]) for name, p in self._by_name.items()}

    def default(self) -> dict[str, Value]:
        """Return every parameter's default, or its stand-in (`Parameter.rest`).

        Inactive parameters rest. The result need not be feasible: published defaults are not
        always.
        """
        return {parameter.name: parameter.rest for parameter in self.parameters}

    def settle(self, configuration: Configuration) -> dict[str, Value]:
        """Return a normalised configuration with its inactive parameters put at rest."""
        settled = dict(configuration)
        for parameter, condition in self._activity:
            if not condition.holds(settled):
                settled[parameter.name] = parameter.rest
        return settled

    def active(self, configuration: Configuration) -> dict[str, bool]:
        """Say for each parameter whether it is active in a normalised configuration."""
        active = dict.fromkeys(self.names, True)
        for parameter, condition in self._activity:
            active[parameter.name] = condition.holds(configuration)
        return active

    # -- models -------------------------------------------------------------------------------

    def encode(
        self, configurations: Sequence[Configuration], *, permutation: str = "spearman"
    ) -> NDArray[np.float64]:
        """Encode configurations for a model; see `daybreak.space.encoding`.

        Args:
            configurations: n configurations with valid values (constraints do not matter).
            permutation: `spearman`, `kendall`, `hamming` or `naive`.

        Returns:
            float64 array of shape (n, d), every column in [0, 1]; `encoded_names` labels the d
            columns.
        """
        from daybreak.space.encoding import encode

        return encode(self, configurations, permutation=permutation)

    def encoded_names(self, *, permutation: str = "spearman") -> list[str]:
        """Return a label for each column of `encode`: `name`, `name=value`, `name[i]`, ..."""
        from daybreak.space.encoding import encoded_names

        return encoded_names(self, permutation=permutation)

    def quantities(self) -> list[Quantity]:
        """Return the quantities that the known constraints bound: products, sums, quotients.

        Domain knowledge for models: `block_x * block_y` of ``block_x * block_y <= 1024``; see
        `daybreak.space.quantities`.
        """
        from daybreak.space.quantities import quantities

        return quantities(self.constraints)

    # -- derived spaces and exchange ------------------------------------------------------------

    def restrict(self, name: str, values: Sequence[Any]) -> Space:
        """Return this space with parameter `name` clipped to `values`.

        Args:
            name: the parameter.
            values: ordinal, categorical: the values to keep, of which those that the parameter
                does not have are ignored; real, integer: (low, high), cut to the old range;
                permutation: the orders to keep.

        A default that is cut away becomes the nearest remaining number, or the first value.

        Raises:
            SpaceError: an unknown name, nothing remains, or a program.
        """
        from daybreak.space.restrict import restrict

        return restrict(self, name, values)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able description that `from_dict` reads."""
        return {
            "space": _FORMAT,
            "name": self.name,
            "parameters": [parameter.to_dict() for parameter in self.parameters],
            "constraints": [constraint.describe() for constraint in self.constraints],
        }

    @classmethod
    def from_dict(cls, described: Mapping[str, Any]) -> Space:
        """Make the space that `to_dict` described.

        Raises:
            SpaceError: the description is of another format, or does not describe a space.
        """
        if not isinstance(described, Mapping) or "parameters" not in described:
            raise SpaceError("this does not describe a search space: it has no `parameters`")
        if described.get("space", _FORMAT) != _FORMAT:
            raise SpaceError(
                f"a search space of format {described['space']!r} cannot be read",
                expected=f"format {_FORMAT}",
                remedy="use the version of Daybreak that wrote it, or a newer one",
            )
        listed = described["parameters"]
        if isinstance(listed, str | Mapping) or not isinstance(listed, Iterable):
            raise SpaceError("this does not describe a search space: `parameters` is no list")
        return cls(
            [parameter_from_dict(parameter) for parameter in listed],
            described.get("constraints", ()),
            name=str(described.get("name", "")),
            clipped=True,
        )

    @classmethod
    def from_rows(
        cls,
        rows: Sequence[Configuration] | Mapping[str, Sequence[Value]],
        parameters: Iterable[Parameter] = (),
        name: str = "",
        **more: Any,
    ) -> Space:
        """Make a space whose feasible configurations are exactly the listed ones.

        Args:
            rows: configurations with the same names each, or a column of values for every name.
            parameters: those that are known; for the others an ordinal parameter of the values
                that occur is made if they are numbers, a permutation if they are orders, else a
                categorical one.
            name: for messages.
            more: further arguments of `Space`.

        Raises:
            SpaceError: no rows, a row with other names, or a value that a parameter cannot take.
        """
        from daybreak.space.listing import space_of_rows

        return space_of_rows(cls, rows, parameters, name, more)

    def fingerprint(self) -> str:
        """Return a SHA-256 in hexadecimal of parameters and constraints.

        The same in every process and version of Python; spacing and parentheses in constraints,
        and the space's name, do not change it.
        """
        if self._fingerprint is not None:
            return self._fingerprint
        import hashlib
        import json

        parameters = [parameter.to_dict() for parameter in self.parameters]
        for parameter in parameters:
            if "when" in parameter:
                parameter["when"] = parse_constraint(parameter["when"]).canonical()
        content = {
            "parameters": parameters,
            "constraints": [constraint.canonical() for constraint in self.constraints],
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        self._fingerprint = hashlib.sha256(text.encode()).hexdigest()
        return self._fingerprint

    def __getitem__(self, name: str) -> Parameter:
        """Return the parameter called `name`.

        Raises:
            SpaceError: there is none.
        """
        try:
            return self._by_name[name]
        except KeyError:
            raise SpaceError(
                f"there is no parameter '{name}'",
                expected=", ".join(self.names),
                nearest=nearest(name, self.names),
            ) from None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Space):
            return NotImplemented
        return self.parameters == other.parameters and self.constraints == other.constraints

    def __hash__(self) -> int:
        return hash((self.parameters, self.constraints))

    def __repr__(self) -> str:
        return (
            f"Space({self.name!r}, {len(self.parameters)} parameters, "
            f"{len(self.constraints)} constraints)"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # trees are built again where they are needed: a description travels lighter
        state = (self.parameters, self.constraints, self.name)
        return _rebuild, (*state, self.references, self.published, self.notes)

    @property
    def continuous(self) -> bool:
        """Whether configurations cannot be counted: there are real or program parameters."""
        return any(isinstance(parameter, Real | Program) for parameter in self.parameters)


def _constraint_of(given: Any) -> Constraint:
    if isinstance(given, Constraint):
        return given
    if isinstance(given, Mapping):
        from daybreak.space.rows import Rows

        return Rows.from_dict(given)
    return parse_constraint(given)


def _rebuild(
    parameters: tuple[Parameter, ...],
    constraints: tuple[Constraint, ...],
    name: str,
    references: dict[str, Configuration],
    published: dict[str, Any],
    notes: tuple[str, ...],
) -> Space:
    return Space(
        parameters,
        constraints,
        name,
        references=references,
        published=published,
        notes=notes,
        clipped=True,
    )
