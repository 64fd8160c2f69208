"""Faults of a suite file: gathered, put in order, raised together; pydantic's errors translated."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from daybreak.errors import SuiteError, nearest
from daybreak.suite.tree import Node, Place, locate

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

__all__ = ["Faults", "SuiteFaultsError", "describe", "translate"]

#: keys are listed in a message up to this many
_LISTED = 16

_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "dataclass_type": "a mapping (key: value)",
    "none_required": "nothing (null)",
    "path_type": "a path",
}
_BOUNDS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "of at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "of at most"),
}


class SuiteFaultsError(SuiteError):
    """Several faults found in one go; the position is that of the first.

    Attributes:
        faults: each fault as an error of its own, in the order of the file.
    """

    def __init__(self, faults: Sequence[SuiteError]) -> None:
        self.faults = tuple(faults)
        first = self.faults[0]
        super().__init__(
            first.message,
            file=first.file,
            line=first.line,
            column=first.column,
            field=first.field,
            expected=first.expected,
            nearest=first.nearest,
            remedy=first.remedy,
        )

    def __str__(self) -> str:
        """Return the messages of all faults, one below the other."""
        return "\n".join(str(fault) for fault in self.faults)


class Faults:
    """A gathering of faults. `add` notes one; `raise_any` raises them all, if there are any."""

    def __init__(self) -> None:
        self._faults: dict[tuple[object, ...], SuiteError] = {}

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(
        self,
        place: Place,
        message: str,
        *,
        expected: str | None = None,
        nearest: str | None = None,
        remedy: str | None = None,
    ) -> None:
        """Note a fault at `place`; the same fault at the same place is noted once."""
        self.put(
            SuiteError(
                message,
                file=place.mark.file,
                line=place.mark.line,
                column=place.mark.column,
                field=place.field or None,
                expected=expected,
                nearest=nearest,
                remedy=remedy,
            )
        )

    def put(self, fault: SuiteError) -> None:
        """Note a fault that is an error already; one that holds several is taken apart."""
        for one in fault.faults if isinstance(fault, SuiteFaultsError) else (fault,):
            self._faults.setdefault((one.file, one.line, one.column, one.message), one)

    def unknown(
        self, place: Place, what: str, name: str, known: Iterable[str], **more: Any
    ) -> None:
        """Note that `name` is no known `what`, with the nearest that is."""
        names = sorted(known)
        if more.get("expected") is None and names and len(names) <= _LISTED:
            more["expected"] = "one of " + ", ".join(names)
        self.add(place, f"unknown {what} '{name}'", nearest=nearest(name, names), **more)

    def wrong_type(self, node: Node, expected: str, place: Place | None = None) -> None:
        """Note that the value at `node` has the wrong type."""
        found = describe(node.plain())
        self.add(place or node.place, f"wrong type: {found}", expected=expected)

    def raise_any(self) -> None:
        """Raise what was gathered.

        Raises:
            SuiteError: the only fault, or a `SuiteFaultsError` with all of them in order.
        """
        faults = sorted(self._faults.values(), key=_order)
        if len(faults) == 1:
            raise faults[0]
        if faults:
            raise SuiteFaultsError(faults)


def _order(fault: SuiteError) -> tuple[str, int, int]:
    return (fault.file or "", fault.line or 0, fault.column or 0)


def describe(value: object) -> str:
    """Return `value` as a message names it: ``text 'abc'``, ``the number 3``, ``a list``."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {_short(value)}"
    if isinstance(value, str):
        return f"text {_short(value)}"
    if isinstance(value, Mapping):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    return f"a {type(value).__name__}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:56] + " ..."


def translate(
    error: ValidationError,
    node: Node,
    faults: Faults,
    *,
    model: type[BaseModel] | None = None,
    skip: frozenset[str] = frozenset(),
) -> None:
    """Note each error that pydantic found in the values of `node`, where the user wrote it.

    Args:
        error: what validation raised.
        node: the tree whose plain values were validated.
        faults: takes the faults.
        model: the model that was validated, for nearest keys; None: no nearest keys.
        skip: top-level keys whose errors were already reported.
    """
    unions: dict[Place, tuple[str, list[str]]] = {}
    for item in error.errors(include_url=False):
        path = item["loc"]
        if path and path[0] in skip:
            continue
        place, _ = locate(node, path)
        kind = item["type"]
        value = item.get("input")
        context: Mapping[str, Any] = item.get("ctx") or {}
        if kind == "extra_forbidden":
            known = _keys(model, path[:-1])
            faults.unknown(place, "key", str(path[-1]), known)
        elif kind == "missing":
            field = _field(model, path)
            description = (field.description if field is not None else None) or None
            faults.add(place, f"'{path[-1]}' is missing", expected=description)
        elif kind in _EXPECTED:
            # every member of a union complains: say all that would do in one message
            _, wanted = unions.setdefault(place, (describe(value), []))
            if _EXPECTED[kind] not in wanted:
                wanted.append(_EXPECTED[kind])
        elif kind in _BOUNDS:
            name, words = _BOUNDS[kind]
            bound = context.get(name)
            faults.add(
                place, f"wrong value: {describe(value)}", expected=f"a number {words} {bound}"
            )
        elif kind in {"literal_error", "enum"}:
            choices = str(context.get("expected", ""))
            names = [choice.strip(" '") for choice in choices.replace(" or ", ", ").split(",")]
            near = nearest(value, names) if isinstance(value, str) else None
            faults.add(
                place, f"wrong value: {describe(value)}", expected=f"one of {choices}", nearest=near
            )
        elif kind in {"too_short", "string_too_short"}:
            faults.add(place, "is empty", expected=f"at least {context.get('min_length', 1)}")
        elif kind == "value_error":
            faults.add(place, str(context.get("error") or item["msg"]))
        else:
            expected = context.get("expected") if "expected" in context else None
            faults.add(place, item["msg"], expected=expected)
    for place, (found, wanted) in unions.items():
        faults.add(place, f"wrong type: {found}", expected=" or ".join(wanted))


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that an annotation may hold at this level (through unions)."""
    from pydantic import BaseModel

    if isinstance(annotation, type) and not get_origin(annotation):
        return [annotation] if issubclass(annotation, BaseModel) else []
    if get_origin(annotation) in (Union, types.UnionType):
        return [model for part in get_args(annotation) for model in _models(part)]
    if hasattr(annotation, "__metadata__"):
        return _models(get_args(annotation)[0])
    return []


def _descend(annotations: list[Any], part: int | str) -> list[Any]:
    """Return the annotations of what stands at key or index `part`."""
    found: list[Any] = []
    for annotation in annotations:
        for model in _models(annotation):
            for name, info in model.model_fields.items():
                if part in (name, info.alias):
                    found.append(info.annotation)
        parts = [annotation]
        if get_origin(annotation) in (Union, types.UnionType):
            parts = list(get_args(annotation))
        for one in parts:
            origin = get_origin(one)
            if isinstance(origin, type) and issubclass(origin, Mapping):
                found.append(get_args(one)[1])
            elif isinstance(origin, type) and isinstance(part, int):
                found.extend(get_args(one)[:1])
    return found


def _at(model: type[BaseModel] | None, path: Sequence[int | str]) -> list[type[BaseModel]]:
    annotations: list[Any] = [model] if model is not None else []
    for part in path:
        # a part that is no key is the name of a union's member: stay
        annotations = _descend(annotations, part) or annotations
    return [found for annotation in annotations for found in _models(annotation)]


def _keys(model: type[BaseModel] | None, path: Sequence[int | str]) -> list[str]:
    return [
        info.alias or name
        for found in _at(model, path)
        for name, info in found.model_fields.items()
    ]


def _field(model: type[BaseModel] | None, path: Sequence[int | str]) -> Any:
    for found in _at(model, path[:-1]):
        for name, info in found.model_fields.items():
            if path[-1] in (name, info.alias):
                return info
    return None
