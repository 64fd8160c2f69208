"""Checks of an options model, shared by targets and optimizers."""

# ruff: noqa: S101 - the kit's checks are assertions, as in any test

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from daybreak.plugin import Component

__all__ = ["check_options"]

_NO_OPTION = "no_such_option_of_any_component"


def check_options(
    component: Component,
    options: Mapping[str, Any],
    *,
    benchmark: str | None = None,
    accepts_any: bool = False,
) -> dict[str, Any]:
    """Hold the options model to its contract and return `options` with the defaults filled in.

    They go through JSON and come back as they were; validating twice changes nothing; a misspelt
    name is refused; the JSON schema says of every option what it is for.

    Raises:
        AssertionError: one of these does not hold.
    """
    from pydantic import ValidationError

    validated = component.validate(options, benchmark=benchmark)
    through = json.loads(json.dumps(validated))
    assert through == validated, f"the options change when written as JSON: {validated} {through}"
    again = component.validate(through, benchmark=benchmark)
    assert again == validated, f"validating twice changes the options: {validated} -> {again}"
    if not accepts_any:
        try:
            component.validate({**options, _NO_OPTION: 1}, benchmark=benchmark)
        except ValidationError:
            pass
        else:
            raise AssertionError(
                "the options model takes a misspelt name; give it "
                "model_config = ConfigDict(extra='forbid')"
            )
    json.dumps(component.options_schema(benchmark))
    return validated
