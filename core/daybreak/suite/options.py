"""A component's options as typed on the command line: ``NAME=VALUE``, values as in a suite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from daybreak.errors import SuiteError, UserError
from daybreak.suite.faults import Faults, translate
from daybreak.suite.reader import parse_tree
from daybreak.suite.tree import Entry, Leaf, MapNode, Mark, Place

if TYPE_CHECKING:
    from daybreak.plugin import Component

__all__ = ["typed_options"]


def typed_options(component: Component, words: Sequence[str]) -> dict[str, Any]:
    """Return the options that `words` give, validated, with the defaults of all others.

    Args:
        component: whose options they are.
        words: each ``NAME=VALUE``; the value is read as in a suite: ``3``, ``true``, ``[a, b]``,
            ``{time: ms}``, or text.

    Raises:
        UserError: a word is no option, or its value is not what the option takes.
        PluginError: the component's options model is broken.
    """
    root = Place(Mark("", 0, 0), "")
    entries: dict[str, Entry] = {}
    for word in words:
        name, equals, text = word.partition("=")
        name = name.strip()
        if not equals or not name:
            raise UserError(f"'{word}' is no option", expected="NAME=VALUE", field="--option")
        if name in entries:
            raise UserError(f"'{name}' is given twice", field="--option")
        place = Place(Mark("", 0, len(entries)), name)
        entries[name] = _value(text, place)
    tree = MapNode(root, entries)
    try:
        return component.validate(tree.plain())
    except ValidationError as error:
        faults = Faults()
        translate(error, tree, faults, model=component.options_model())
        try:
            faults.raise_any()
        except SuiteError as fault:
            # the first will do: on the command line there is no file to go through
            field = f"--option {fault.field}" if fault.field else "--option"
            raise UserError(
                fault.message, field=field, expected=fault.expected, nearest=fault.nearest
            ) from None
        raise


def _value(text: str, place: Place) -> Entry:
    try:
        node = parse_tree(f"value: {text}", "").get("value")
    except SuiteError as error:
        raise UserError(
            f"the value '{text}' cannot be read: {error.message}", field=f"--option {place.field}"
        ) from None
    return Entry(place, node if node is not None else Leaf(None, place))
