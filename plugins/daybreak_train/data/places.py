"""Where a data set lies on this machine: in an installed package, a system's folder, the cache."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path

from daybreak import RequirementError
from daybreak_train.data.catalogue import DataSet

__all__ = ["cache_folder", "find", "presence"]


def cache_folder() -> Path:
    """Return the folder of this user that holds fetched data sets, a folder for each."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("daybreak")) / "train" / "data"


def find(data: DataSet, folder: str | Path | None = None) -> Path:
    """Return the file or folder that holds `data`; looks whether it is there, but opens nothing.

    Args:
        data: the data set.
        folder: a folder of the user's that holds its files, looked at before all others; where it
            is given, nowhere else is looked.

    Raises:
        RequirementError: it is not on this machine; names the command that gets it.
    """
    if folder is not None:
        given = Path(folder).expanduser()
        names = _names(data)
        lacking = [name for name in names if not _file(given, name).is_file()]
        if not lacking:
            return given
        raise RequirementError(
            f"folder '{given}' holds no {lacking[0]}",
            field="folder",
            expected=f"the files of {data.name}: " + ", ".join(names),
        )
    if data.package is not None:
        return _in_package(data, *data.package)
    for candidate in (*map(Path, data.folders), cache_folder() / data.name):
        if all(_file(candidate, file.name).is_file() for file in data.files):
            return candidate
    raise RequirementError(
        f"data set '{data.name}' is not on this machine",
        expected="its files in "
        + " or ".join([*data.folders, str(cache_folder() / data.name)])
        + ", or in the folder that the option `folder` names",
        remedy=_remedy(data),
    )


def presence(data: DataSet) -> str:
    """Return where `data` lies, or that it is absent and what gets it: one line."""
    try:
        return f"here: {find(data)}"
    except RequirementError as error:
        return f"not here; {error.remedy}"


def _remedy(data: DataSet) -> str:
    fetch = f"python -m daybreak_train.data fetch {data.name}"
    if data.system_package is None:
        return fetch
    return f"{fetch}; on Debian or Ubuntu also: sudo apt install {data.system_package}"


def _names(data: DataSet) -> list[str]:
    if data.package is not None:
        return [data.package[1].rpartition("/")[2]]
    return [file.name for file in data.files]


def _file(folder: Path, name: str) -> Path:
    """Return the packed file, or the unpacked one where only that is there."""
    packed = folder / name
    unpacked = packed.with_suffix("") if packed.suffix == ".gz" else packed
    return unpacked if not packed.exists() and unpacked.exists() else packed


def _in_package(data: DataSet, distribution: str, inside: str) -> Path:
    """Find a package's file without importing the package: its imports are slow and not needed."""
    top, _, rest = inside.partition("/")
    spec = importlib.util.find_spec(top)
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(place) / rest
        if path.is_file():
            return path
    version = _version(distribution)
    if version is not None:
        raise RequirementError(
            f"{distribution} {version} holds no {inside}",
            remedy=f"pip install --force-reinstall {distribution}",
        )
    raise RequirementError(
        f"data set '{data.name}' comes with {distribution}, which is not installed",
        remedy=f"pip install 'daybreak[{data.extra}]'",
    )


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
