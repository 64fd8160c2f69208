"""A distribution on disk without a build: for testing how a plugin is found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["write_distribution"]


def write_distribution(
    folder: Path,
    name: str,
    *,
    version: str = "1.0",
    plugins: Mapping[str, str] | None = None,
    requires: Iterable[str] = (),
    modules: Mapping[str, str] | None = None,
) -> Path:
    """Write what an installed distribution leaves in `folder`, and return `folder`.

    With `folder` on ``sys.path`` (or ``PYTHONPATH``), `daybreak.plugin.load_plugins` finds it.

    Args:
        folder: made if it is not there.
        name: name of the distribution.
        version: its version.
        plugins: entry points of the group ``daybreak.plugins``: name -> module.
        requires: its ``Requires-Dist`` lines.
        modules: files to write: relative path -> source text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    info = folder / f"{re.sub(r'[-.]+', '_', name)}-{version}.dist-info"
    info.mkdir(exist_ok=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    entries = [f"{entry} = {module}" for entry, module in (plugins or {}).items()]
    (info / "entry_points.txt").write_text(
        "\n".join(["[daybreak.plugins]", *entries]) + "\n", encoding="utf-8"
    )
    for path, source in (modules or {}).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, encoding="utf-8")
    return folder
