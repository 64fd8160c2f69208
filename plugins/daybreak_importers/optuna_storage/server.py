"""Reads storages that are served by a database (PostgreSQL, MySQL), through Optuna itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from daybreak import RequirementError, UserError
from daybreak_importers.optuna_storage.found import FoundStudy, FoundTrial

__all__ = ["read_server", "without_password"]


def without_password(url: str) -> str:
    """Return a URL as it may be shown and stored."""
    scheme, separator, rest = url.partition("://")
    place = rest.rpartition("@")[2] if "@" in rest.split("/", 1)[0] else rest
    return scheme + separator + place.partition("?")[0]


def read_server(url: str, only: str | None) -> Iterator[FoundStudy]:
    """Yield the studies of a database; tables are neither made nor migrated.

    Raises:
        RequirementError: Optuna, or the database's driver, is missing.
        UserError: the database cannot be read, or has no study called `only`.
    """
    shown = without_password(url)
    try:
        from optuna.distributions import distribution_to_json
        from optuna.storages import RDBStorage
    except ImportError as error:
        raise RequirementError(
            "Optuna is needed to read from a database server",
            remedy="pip install 'daybreak[peers-optuna]'; files are read without",
        ) from error
    try:
        storage = RDBStorage(url, skip_compatibility_check=True, skip_table_creation=True)
        studies = storage.get_all_studies()
    except ImportError as error:
        raise RequirementError(
            f"the driver of {shown.partition(':')[0]} is missing: {error}",
            remedy="install the one that the URL names",
        ) from error
    except Exception as error:  # whatever SQLAlchemy and its drivers raise
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"the storage cannot be read: {first}", file=shown) from error
    names = [study.study_name for study in studies]
    if only is not None and only not in names:
        raise UserError(f"there is no study '{only}'", file=shown, field="study")
    for study in studies:
        if only is None or study.study_name == only:
            trials = storage.get_all_trials(study._study_id, deepcopy=False)
            yield FoundStudy(
                study.study_name,
                tuple(direction.name != "MAXIMIZE" for direction in study.directions),
                study.user_attrs,
                study.system_attrs,
                [_trial(trial, distribution_to_json) for trial in trials],
            )


def _trial(trial: Any, to_json: Any) -> FoundTrial:
    return FoundTrial(
        trial.number,
        trial.state.name,
        {name: trial.distributions[name].to_internal_repr(v) for name, v in trial.params.items()},
        {name: to_json(distribution) for name, distribution in trial.distributions.items()},
        None if trial.values is None else list(trial.values),
        dict(trial.intermediate_values),
        dict(trial.user_attrs),
        dict(trial.system_attrs),
        None if trial.datetime_start is None else trial.datetime_start.isoformat(),
        None if trial.datetime_complete is None else trial.datetime_complete.isoformat(),
    )
