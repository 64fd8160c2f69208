"""A registered component: its spec, where it comes from, and how to bring it to life."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from daybreak.errors import DaybreakError, PluginError, RequirementError, UserError
from daybreak.plugin.specs import ComponentSpec, OptimizerSpec, TargetSpec, load_object

if TYPE_CHECKING:
    from pydantic import BaseModel

    from daybreak.plugin.contracts import Benchmark, Requirement

__all__ = ["Component"]


@dataclass(frozen=True, slots=True)
class Component:
    """A component that a plugin registered.

    Attributes:
        spec: what it says of itself.
        plugin: name of the plugin's entry point.
        distribution: the distribution that brings it, empty if unknown.
        version: version of the distribution, empty if unknown.
    """

    spec: ComponentSpec
    plugin: str
    distribution: str = ""
    version: str = ""

    @property
    def name(self) -> str:
        """The component's name, unique among its kind."""
        return self.spec.name

    @property
    def kind(self) -> str:
        """`target`, `optimizer`, `executor`, `metric`, `view`, `importer`, `exporter` or `report`."""
        return self.spec.kind

    @property
    def source(self) -> str:
        """The distribution with its version, as shown to people."""
        return f"{self.distribution} {self.version}".strip()

    def load(self) -> Any:
        """Import and return the factory.

        Raises:
            RequirementError: it cannot be imported and a stated requirement is missing.
            PluginError: it cannot be imported, or is not callable.
        """
        factory = self._load(self.spec.factory, "factory")
        if not callable(factory):
            raise self._broken(f"factory '{self.spec.factory}' is not callable")
        return factory

    def create(self, *args: Any, **kwargs: Any) -> Any:
        """Import the factory, call it with `args` and return what it made.

        Raises:
            RequirementError: it cannot be imported and a stated requirement is missing.
            PluginError: importing or calling it failed.
            DaybreakError: whatever of these the factory raised itself.
        """
        factory = self.load()
        try:
            return factory(*args, **kwargs)
        except DaybreakError:
            raise
        except (Exception, SystemExit) as error:
            raise self._broken(
                f"{self.kind} '{self.name}': factory '{self.spec.factory}' raised "
                f"{type(error).__name__}: {error}"
            ) from error

    def options_model(self, benchmark: str | None = None) -> type[BaseModel]:
        """Return the pydantic model of the options: the benchmark's own, else the component's.

        `benchmark` may carry an instance (``spmm:airfoil``). A component without options gets a
        model that refuses any.

        Raises:
            RequirementError: the model cannot be imported and a stated requirement is missing.
            PluginError: the model cannot be imported or is no pydantic model.
        """
        from pydantic import BaseModel, ConfigDict, create_model

        path = self.spec.options
        if benchmark is not None and isinstance(self.spec, TargetSpec):
            path = dict(self.spec.benchmark_options).get(benchmark.partition(":")[0], path)
        if path is None:
            return create_model("NoOptions", __config__=ConfigDict(extra="forbid"))
        model = self._load(path, "options model")
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise self._broken(f"options model '{path}' is no pydantic model class")
        return model

    def options_schema(self, benchmark: str | None = None) -> dict[str, Any]:
        """Return the JSON schema of the options."""
        return self.options_model(benchmark).model_json_schema()

    def validate(
        self, options: Mapping[str, Any], *, benchmark: str | None = None
    ) -> dict[str, Any]:
        """Return `options` as plain JSON values with the defaults filled in.

        Raises:
            pydantic.ValidationError: an option is unknown, missing or out of range.
            PluginError: the options model is broken.
        """
        model = self.options_model(benchmark)
        return model.model_validate(dict(options)).model_dump(mode="json")

    def refusal(self, benchmark: Benchmark, options: Mapping[str, Any]) -> UserError | None:
        """Return what an optimizer's `accepts` raises for `benchmark`; None if it takes it.

        None also where `accepts` fails and a stated requirement is missing: that is said by
        whoever looks for what is missing, with its remedy.

        Args:
            benchmark: what it shall work on.
            options: validated options; `accepts` is given a copy.

        Raises:
            PluginError: `accepts` cannot be imported, or does anything but return nothing or raise
                a `UserError`.
        """
        if not isinstance(self.spec, OptimizerSpec) or self.spec.accepts is None:
            return None
        what = f"{self.kind} '{self.name}': accepts '{self.spec.accepts}'"
        try:
            accepts = self._load(self.spec.accepts, "accepts")
        except RequirementError:
            return None
        if not callable(accepts):
            raise self._broken(f"{what} is not callable")
        try:
            answer = accepts(benchmark, deepcopy(dict(options)))
        except UserError as error:
            return error
        except PluginError:
            raise
        except (Exception, SystemExit) as error:
            if self.missing():
                return None
            raise self._broken(
                f"{what} raised {type(error).__name__}: {error}, asked about '{benchmark.name}'"
            ) from error
        if answer is not None:
            raise self._broken(
                f"{what} returned {answer!r}; expected nothing, or a UserError raised"
            )
        return None

    def requirements(self) -> list[Requirement]:
        """Return the stated requirements with whether each is met on this machine.

        Where the spec names an extra, that is the remedy for a missing package.
        """
        from daybreak.plugin.requirements import check_requirements, install_command

        found = check_requirements(self.spec.requires, self.spec.executables)
        if not (self.spec.extra and self.distribution):
            return found
        remedy = install_command(f"{self.distribution}[{self.spec.extra}]")
        packages = len(self.spec.requires)
        return [
            one if one.met or i >= packages else replace(one, remedy=remedy)
            for i, one in enumerate(found)
        ]

    def missing(self) -> list[Requirement]:
        """Return the stated requirements (packages, programs) that are not met here."""
        return [requirement for requirement in self.requirements() if not requirement.met]

    def _load(self, path: str, what: str) -> Any:
        try:
            return load_object(path)
        except (Exception, SystemExit) as error:
            missing = self.missing()
            if missing:
                raise RequirementError(
                    f"{self.kind} '{self.name}' cannot be used: "
                    + "; ".join(f"{one.name}: {one.detail}" for one in missing),
                    remedy="; ".join(dict.fromkeys(one.remedy for one in missing)),
                ) from error
            raise self._broken(
                f"{self.kind} '{self.name}': {what} '{path}' cannot be imported: "
                f"{type(error).__name__}: {error}"
            ) from error

    def _broken(self, message: str) -> PluginError:
        return PluginError(message, plugin=self.plugin, distribution=self.source or None)
