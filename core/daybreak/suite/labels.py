"""Names that tell apart what a suite lists several times with different options."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["canonical_json", "distinct_labels"]

#: a label beyond this is cut and ends in a hash
_LONGEST = 80


def canonical_json(value: Any) -> str:
    """Return `value` as JSON that is the same for equal values: sorted keys, no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def distinct_labels(
    names: Sequence[str], options: Sequence[Mapping[str, Any]], joints: Sequence[str]
) -> list[str]:
    """Return a label for every name: the name itself, and where it repeats, what differs.

    Args:
        names: the names, some of them equal.
        options: the options of each.
        joints: what joins each name and its options, ``:`` say.

    Returns:
        The labels. Equal names with equal options keep equal labels: that is for the caller to
        refuse.
    """
    flat = [dict(_flatten(one)) for one in options]
    labels = list(names)
    for name, count in Counter(names).items():
        if count == 1:
            continue
        group = [i for i, other in enumerate(names) if other == name]
        keys = dict.fromkeys(key for i in group for key in flat[i])
        missing = object()
        differing = [
            key for key in keys if len({_identity(flat[i].get(key, missing)) for i in group}) > 1
        ]
        for i in group:
            parts = [f"{key}={_word(flat[i][key])}" for key in differing if key in flat[i]]
            if parts:
                labels[i] = _cut(name + joints[i] + ",".join(parts), options[i])
    # values that only differ in what a label cannot show
    groups: dict[str, list[int]] = {}
    for i, label in enumerate(labels):
        groups.setdefault(label, []).append(i)
    for label, group in groups.items():
        if len(group) > 1 and len({canonical_json(options[i]) for i in group}) > 1:
            for i in group:
                labels[i] = f"{label}-{_hash(options[i])}"
    return labels


def _flatten(options: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in options.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _identity(value: Any) -> str:
    return repr(value) if type(value) is object else canonical_json(value)


def _word(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "-".join(_word(item) for item in value) or "none"
    return re.sub(r"[^A-Za-z0-9._]+", "-", str(value)).strip("-") or "none"


def _cut(label: str, options: Mapping[str, Any]) -> str:
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 9]}-{_hash(options)}"


def _hash(options: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(options).encode()).hexdigest()[:8]
