"""Reads search spaces from YAML: Daybreak's own spelling and that of the published spaces.

A file holds `parameters`, and may hold `name`, `constraints`, `references` (named
configurations), `published` (sizes that the source states) and `notes`. The published spaces say
`id`, `known_constraints`, `configurations`, `space_size`, `log_transform` and `scenario_default`
for the same things. Faults are reported with the line they stand on.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from daybreak.errors import SpaceError, nearest
from daybreak.records import Configuration
from daybreak.space.constraint import Constraint, parse_constraint
from daybreak.space.parameters import Parameter, parameter_from_dict
from daybreak.space.rows import Rows
from daybreak.space.source import Lines, read_yaml
from daybreak.space.space import Space

__all__ = ["load_space"]

#: Spellings of the published files, and ours.
_PARAMETER_KEYS = {"log_transform": "log", "scenario_default": "default"}
#: Facts about a published parameter that are no part of the space: an optimizer chooses its own
#: encoding.
_IGNORED_KEYS = frozenset({"baco_encoding"})
_OUR_KEYS = ("parameters", "constraints", "references", "published", "notes", "name")
_TABLE_KEYS = frozenset({"published_example_space", "datasets", "benchmarks"})
_ENUMERATION = re.compile(
    r"(?P<first>\d+) followed by the even numbers (?P<low>\d+)\.\.(?P<high>\d+)\Z"
)


def load_space(path: str | Path, dataset: str | None = None) -> Space:
    """Read a search space.

    Args:
        path: a YAML file.
        dataset: which space of a file with several: a key of its `datasets` (Kernel Tuner hub),
            or `published_example_space` (HPVM2FPGA, also taken if None).

    Returns:
        The space, with `references` (those that are configurations; descriptions go to `notes`)
        and `published` (what the file states about sizes).

    Raises:
        SpaceError: the file cannot be read or does not describe a space; has file and line.
    """
    file = Path(path)
    content, lines = read_yaml(file)
    if not isinstance(content, Mapping):
        raise SpaceError("this file holds no mapping", file=file, line=1, expected="`parameters:`")
    reader = _Reader(file, content, lines)
    if "datasets" in content and "parameters" not in content:
        return reader.dataset(dataset)
    if "published_example_space" in content and "parameters" not in content:
        return reader.example(dataset)
    if dataset is not None:
        raise SpaceError(f"this file holds one space and no data set '{dataset}'", file=file)
    return reader.space(content, ())


class _Reader:
    def __init__(self, file: Path, content: Mapping[str, Any], lines: Lines) -> None:
        self._file = file
        self._content = content
        self._lines = lines

    def _fail(self, message: str, at: tuple[str | int, ...], **more: Any) -> SpaceError:
        return SpaceError(message, file=self._file, line=self._lines.of(at), **more)

    def _placed(self, error: SpaceError, at: tuple[str | int, ...]) -> SpaceError:
        return SpaceError(
            error.message,
            file=self._file,
            line=self._lines.of(at),  # a column counts within the constraint: the message says it
            field=error.field,
            expected=error.expected,
            nearest=error.nearest,
            remedy=error.remedy,
        )

    def space(self, content: Mapping[str, Any], at: tuple[str | int, ...]) -> Space:
        self._check_keys(content, at)
        if "parameters" not in content:
            raise self._fail(
                "this file describes no search space: it has no `parameters`",
                at,
                expected="a list of parameters, each with `name`, `type` and values",
            )
        parameters = self._parameters(content["parameters"], (*at, "parameters"))
        key = "constraints" if "constraints" in content else "known_constraints"
        constraints = self._constraints(content.get(key), (*at, key))
        references, described = self._references(content, at)
        name = str(content.get("name", content.get("id", self._file.stem)))
        published = content.get("published", content.get("space_size"))
        notes = [str(note) for note in content.get("notes") or ()] + described
        return self._make(parameters, constraints, name, references, published, notes, at)

    def _make(
        self,
        parameters: Sequence[Parameter],
        constraints: Sequence[tuple[Constraint, tuple[str | int, ...]]],
        name: str,
        references: Mapping[str, Configuration],
        published: Any,
        notes: Sequence[str],
        at: tuple[str | int, ...],
    ) -> Space:
        """Put the space together; a fault of one constraint is reported on that one's line."""
        try:
            Space(parameters, name=name)
        except SpaceError as error:
            raise self._placed(error, (*at, "parameters")) from error
        for constraint, place in constraints:
            try:
                Space(parameters, [constraint])
            except SpaceError as error:
                raise self._placed(error, place) from error
        return Space(
            parameters,
            [constraint for constraint, _ in constraints],
            name,
            references=references,
            published=published if isinstance(published, Mapping) else None,
            notes=notes,
        )

    def _check_keys(self, content: Mapping[str, Any], at: tuple[str | int, ...]) -> None:
        """Refuse a key that is nearly one of ours: published files have many others."""
        known = {*_OUR_KEYS, "known_constraints", "configurations", "space_size"}
        for key in content:
            close = difflib.get_close_matches(str(key), known, n=1, cutoff=0.8)
            if key not in known and key not in _TABLE_KEYS and close:
                # `constraint_helper` and the like are the sources' own words
                if str(key).startswith(close[0].rstrip("s") + "_"):
                    continue
                raise self._fail(f"unknown key '{key}'", (*at, str(key)), nearest=close[0])

    def _parameters(self, listed: Any, at: tuple[str | int, ...]) -> list[Parameter]:
        if isinstance(listed, Mapping):
            # the short form of the Kernel Tuner hub: name: [values]
            listed = [
                {"name": name, "type": _type_of(values), "values": values}
                for name, values in listed.items()
            ]
        if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
            raise self._fail("`parameters` must be a list and not empty", at)
        parameters = []
        for i, entry in enumerate(listed):
            try:
                parameters.append(parameter_from_dict(self._own_spelling(entry)))
            except SpaceError as error:
                raise self._placed(error, (*at, i)) from error
        return parameters

    def _own_spelling(self, entry: Any) -> Any:
        if not isinstance(entry, Mapping):
            return entry
        described = {
            _PARAMETER_KEYS.get(str(key), str(key)): value
            for key, value in entry.items()
            if key not in _IGNORED_KEYS
        }
        if described.get("type") in ("permutation", "categorical"):
            described.pop("log", None)
        if isinstance(described.get("values"), Mapping):
            described["values"] = _enumerate(described["values"], str(entry.get("name")))
        return described

    def _constraints(
        self, listed: Any, at: tuple[str | int, ...]
    ) -> list[tuple[Constraint, tuple[str | int, ...]]]:
        if listed is None:
            return []
        if not isinstance(listed, Sequence) or isinstance(listed, str):
            raise self._fail("constraints must be a list of expressions or listed rows", at)
        parsed = []
        for i, text in enumerate(listed):
            try:
                constraint = (
                    Rows.from_dict(text) if isinstance(text, Mapping) else parse_constraint(text)
                )
                parsed.append((constraint, (*at, i)))
            except SpaceError as error:
                raise self._placed(error, (*at, i)) from error
        return parsed

    def _references(
        self, content: Mapping[str, Any], at: tuple[str | int, ...]
    ) -> tuple[dict[str, Configuration], list[str]]:
        """Return the named configurations, and a note for each that is only described."""
        key = "references" if "references" in content else "configurations"
        listed = content.get(key) or {}
        if not isinstance(listed, Mapping):
            raise self._fail(f"`{key}` must map names to configurations", (*at, key))
        references = {str(n): c for n, c in listed.items() if isinstance(c, Mapping)}
        described = [f"{n}: {text}" for n, text in listed.items() if isinstance(text, str)]
        return references, described

    def dataset(self, name: str | None) -> Space:
        """Return the space of one recorded data set of the Kernel Tuner hub."""
        datasets = self._content["datasets"]
        if name not in datasets:
            raise self._fail(
                "this file holds several data sets: name one"
                if name is None
                else f"there is no data set '{name}'",
                ("datasets",),
                expected="one of " + ", ".join(datasets),
                nearest=None if name is None else nearest(name, datasets),
            )
        entry = datasets[name]
        at: tuple[str | int, ...] = ("datasets", str(name))
        # conditions are given once for all data sets of a kernel, under its name
        kernel = "_".join(str(name).split("_")[:2])
        key = f"{kernel}_conditions"
        parameters = self._parameters(entry["parameters"], (*at, "parameters"))
        constraints = self._constraints(self._content.get(key), (key,))
        notes = []
        if key not in self._content:
            notes.append(
                f"No conditions are recorded for {kernel}: the space is the whole product, of "
                f"which {entry.get('configurations')} configurations were measured."
            )
        published = {k: v for k, v in entry.items() if k != "parameters"}
        return self._make(parameters, constraints, str(name), {}, published, notes, at)

    def example(self, name: str | None) -> Space:
        """Return HPVM2FPGA's published example; of its benchmarks only sizes are published."""
        key = "published_example_space"
        if name in (self._content.get("benchmarks") or {}):
            raise self._fail(
                f"parameters of '{name}' are not published, only its size is",
                ("benchmarks", str(name)),
                expected=f"'{key}'",
            )
        if name not in (None, key):
            raise self._fail(f"there is no space '{name}'", (), nearest=key)
        content = {"id": f"{self._content.get('id', self._file.stem)}_example"}
        content.update(self._content[key])
        note = content.pop("note", None)
        if note is not None:
            content["notes"] = [note]  # type: ignore[assignment]
        return self.space(content, (key,))


def _type_of(values: Any) -> str:
    numeric = isinstance(values, Sequence) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )
    return "ordinal" if numeric else "categorical"


def _enumerate(described: Mapping[str, Any], name: str) -> list[int]:
    """Write out values that a file only describes, and check their number."""
    text = str(described.get("enumeration", ""))
    found = _ENUMERATION.match(text)
    if found is None:
        raise SpaceError(
            "the values are described in words that are not understood",
            field=name,
            expected="a list, or `enumeration: 1 followed by the even numbers 2..1024`",
        )
    low = int(found["low"])
    values = [int(found["first"]), *range(low + low % 2, int(found["high"]) + 1, 2)]
    if described.get("count", len(values)) != len(values):
        raise SpaceError(
            f"the enumeration has {len(values)} values and not {described['count']}", field=name
        )
    return values
