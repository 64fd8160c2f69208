"""Options of `baco`: the preset decides which other options there are.

`BacoOptions` knows the options of all presets, for listings, editors and messages; validating
gives the options of the chosen preset alone.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, model_validator
from pydantic.fields import FieldInfo

from daybreak_baco.default.options import DefaultOptions
from daybreak_baco.paper.options import PaperOptions

__all__ = ["PRESETS", "BacoOptions"]

#: the options model of each preset
PRESETS: dict[str, type[BaseModel]] = {"default": DefaultOptions, "paper": PaperOptions}


class _Dispatching(BaseModel):
    """Validates as the options of the chosen preset."""

    model_config = ConfigDict(extra="forbid")

    preset: Literal["default", "paper"] = Field(
        default="default",
        description="default: the better one; paper: as published, for comparison.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _as_preset(cls, value: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        if not isinstance(value, Mapping):
            return handler(value)
        preset = value.get("preset", "default")
        model = PRESETS.get(preset) if isinstance(preset, str) else None
        if model is None:
            return handler(value)
        for name in value:
            if name in model.model_fields:
                continue
            owners = [other for other, one in PRESETS.items() if name in one.model_fields]
            if owners:
                raise ValueError(
                    f"'{name}' is an option of preset '{owners[0]}', not of preset '{preset}'"
                )
        return model.model_validate({**value, "preset": preset})


def _merged() -> dict[str, Any]:
    """Return the fields of all presets, none of them required, described with their preset."""
    found: dict[str, tuple[Any, FieldInfo]] = {}
    for preset, model in PRESETS.items():
        for name, info in model.model_fields.items():
            if name == "preset":
                continue
            described = copy.copy(info)
            described.description = f"[{preset}] {info.description or ''}".rstrip()
            annotation: Any = info.annotation
            if name in found:
                earlier, first = found[name]
                annotation = Union[earlier, annotation]  # noqa: UP007 - made at run time
                first.annotation = annotation
                first.description = f"{first.description} {described.description}"
                described = first
            found[name] = (annotation, described)
    return found


if TYPE_CHECKING:

    class BacoOptions(_Dispatching):
        """Options of `baco`, of all presets."""

else:
    from pydantic import create_model

    BacoOptions = create_model(
        "BacoOptions",
        __base__=_Dispatching,
        __doc__="Options of `baco`, of all presets.",
        __module__=__name__,
        **_merged(),
    )
