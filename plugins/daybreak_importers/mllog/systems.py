"""Descriptions of systems: ``systems/SYSTEM.json`` of later rounds, ``entry.json`` of v0.5."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daybreak import UserError
from daybreak_importers.findings import Findings
from daybreak_importers.folders import regular_size, relative
from daybreak_importers.text import as_text, decode, find_number, load_json, read_bytes, scrub

__all__ = ["Systems"]

#: A larger file is no description.
_MOST_BYTES = 1 << 20


class Systems:
    """Finds and reads the description that belongs to a log; each file is read once."""

    def __init__(self, root: Path, findings: Findings) -> None:
        self._root = root
        self._findings = findings
        self._read: dict[Path, dict[str, Any] | None] = {}

    def of(self, log: Path, system: str | None) -> dict[str, Any]:
        """Return what is stored of the description: hardware, framework, status and all of it."""
        folders = [log.parent, *log.parents[1:6]]
        candidates = [folder / "entry.json" for folder in folders[:3]]
        if system is not None:
            for folder in folders:
                if folder.name == "results":
                    name = system.replace("/", "_") + ".json"
                    candidates += [folder.parent / "systems" / name, folder / name]
        for path in candidates:
            description = self._load(path)
            if description is not None:
                return _summary(description)
        return {}

    def _load(self, path: Path) -> dict[str, Any] | None:
        if path not in self._read:
            self._read[path] = self._load_anew(path)
        return self._read[path]

    def _load_anew(self, path: Path) -> dict[str, Any] | None:
        try:
            size = regular_size(path)
            if size is None or size > _MOST_BYTES:
                return None
            text, _ = decode(read_bytes(path))
            content = load_json(text)
        except (OSError, UserError, ValueError) as error:
            self._findings.remark(relative(path, self._root), f"damaged description: {error}")
            return None
        if not isinstance(content, dict):
            self._findings.remark(relative(path, self._root), "damaged description: no JSON object")
            return None
        scrubbed: dict[str, Any] = scrub(content)
        return scrubbed


def _summary(description: Mapping[str, Any]) -> dict[str, Any]:
    nodes = description.get("nodes")
    node = nodes[0] if isinstance(nodes, list) and nodes and isinstance(nodes[0], dict) else {}

    def first(*names: str) -> Any:
        for source in (description, node):
            for name in names:
                if (value := source.get(name)) not in (None, "", "N/A", "n/a"):
                    return value
        return None

    count = find_number(first("number_of_nodes", "num_nodes"))
    accelerators = find_number(first("accelerators_per_node", "num_accelerators"))
    accelerator = as_text(first("accelerator_model_name", "accelerator"))
    parts = []
    if count and count > 1:
        parts.append(f"{count:g} nodes of")
    if accelerator:
        parts.append(f"{accelerators:g} x {accelerator}" if accelerators else accelerator)
    else:
        parts.append(as_text(first("host_processor_model_name", "cpu", "hardware")) or "")
    hardware = " ".join(part for part in parts if part)
    total = (count or 1) * accelerators if accelerators else None
    found = {
        "hardware": hardware or None,
        "framework": as_text(first("framework")),
        "system": as_text(first("system_name", "hardware")),
        "submitter": as_text(first("submitter", "org")),
        "division": as_text(first("division")),
        "status": as_text(first("status")),
        "accelerators": total,
        "nodes": count,
        "description": dict(description),
    }
    return {name: value for name, value in found.items() if value is not None}
