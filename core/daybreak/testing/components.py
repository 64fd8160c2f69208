"""What the kit asks of a component of any kind."""

# ruff: noqa: S101 - the kit's checks are assertions, as in any test

from __future__ import annotations

import functools
from typing import Any, ClassVar

import pytest

from daybreak.plugin import Component, ComponentSpec, Registry, load_plugins
from daybreak.plugin.validation import check_spec
from daybreak.testing.probe import ask_process, describe_component

__all__ = ["ComponentConformance"]


class ComponentConformance:
    """Base of the kit's classes; by itself it checks any kind of component.

    Attributes:
        kind: kind of component, set by the subclasses.
        component_name: name of a component that an installed plugin brings; or
        spec: the spec itself, for a component that is not installed.
        skip_if_missing: skip what cannot be tried where a requirement is missing; False makes it a
            failure, as a continuous integration that has everything should.
        accepts_any_option: the options model takes names that it does not know, on purpose.
        process_timeout_s: seconds that a question to another process may take.
    """

    kind: ClassVar[str] = ""
    component_name: ClassVar[str] = ""
    spec: ClassVar[ComponentSpec | None] = None
    skip_if_missing: ClassVar[bool] = True
    accepts_any_option: ClassVar[bool] = False
    process_timeout_s: ClassVar[float] = 120.0
    #: set by the zero-code mode
    _component: ClassVar[Component | None] = None

    @classmethod
    def component(cls) -> Component:
        """Return the component under test.

        Raises:
            UserError: no installed plugin brings it.
            TypeError: the class names none.
        """
        if cls._component is not None:
            return cls._component
        if cls.spec is not None:
            return Component(cls.spec, plugin="local")
        if not cls.component_name:
            raise TypeError(f"{cls.__name__} sets neither `component_name` nor `spec`")
        return _registry().get(cls.kind, cls.component_name)

    @classmethod
    def installed(cls) -> bool:
        """Whether the component comes from an entry point, so that its listing can be checked."""
        return cls._component is not None or cls.spec is None

    @classmethod
    def missing(cls) -> list[str]:
        """Return what the component needs and this machine lacks, with the remedy."""
        return [f"{one.name}: {one.detail}; {one.remedy}" for one in cls.component().missing()]

    @classmethod
    def require(cls) -> None:
        """Skip (or fail) the calling test where a requirement is missing."""
        missing = cls.missing()
        if missing and cls.skip_if_missing:
            pytest.skip("; ".join(missing))
        assert not missing, "; ".join(missing)

    def test_spec_is_well_formed(self) -> None:
        """Name, dotted paths, summary, requirements and capabilities have the right shape."""
        component = self.component()
        problems = check_spec(component.kind, component.spec)
        assert not problems, "; ".join(problems)

    def test_listing_imports_nothing_heavy(self) -> None:
        """Loading the plugin imports neither its factories nor packages that take long."""
        component = self.component()
        if not self.installed():
            pytest.skip("the component comes from a spec, not from an installed plugin")
        found = ask_listing(component, self.process_timeout_s)
        assert not found["heavy"], (
            f"loading plugin '{component.plugin}' imports {', '.join(found['heavy'])}; "
            "import these where the factory is"
        )
        assert not found["factories"], (
            f"loading plugin '{component.plugin}' imports {', '.join(found['factories'])}; "
            "name the factory by its dotted path only"
        )

    def test_every_dotted_path_can_be_imported(self) -> None:
        """Factory and options models are there."""
        self.require()
        component = self.component()
        spec = component.spec
        paths = [spec.factory, *([spec.options] if spec.options else [])]
        paths += [path for _, path in getattr(spec, "benchmark_options", ())]
        problems = ask_process("imports", {"paths": paths}, timeout_s=self.process_timeout_s)
        assert not problems, f"cannot be imported: {problems}"


@functools.cache
def _registry() -> Registry:
    """Load the plugins once: a test session sees one set of installed distributions."""
    return load_plugins()


def ask_listing(component: Component, timeout_s: float) -> Any:
    """Ask another process what loading the component's plugin, and no other, imports."""
    return _ask_listing(component.plugin, describe_component(component)["factory"], timeout_s)


@functools.cache
def _ask_listing(plugin: str, factory: str, timeout_s: float) -> Any:
    return ask_process(
        "listing",
        {"factories": [factory]},
        timeout_s=timeout_s,
        environment={"DAYBREAK_PLUGINS": plugin, "DAYBREAK_DISABLE_PLUGINS": ""},
    )
