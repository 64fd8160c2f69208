"""The hooks that a plugin may implement, by life cycle.

A plugin is a module named by an entry point of the group ``daybreak.plugins``; each hook is a
function of the same name, marked with `hookimpl`. An implementation may leave out arguments that
it does not need. Listing calls every registration hook, so these return plain specs and import
nothing heavy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from daybreak.plugin.markers import hookspec

if TYPE_CHECKING:
    from daybreak.plugin.specs import (
        ExecutorSpec,
        ExporterSpec,
        ImporterSpec,
        MetricSpec,
        OptimizerSpec,
        ReportSpec,
        TargetSpec,
        ViewSpec,
    )
    from daybreak.records import Configuration, Outcome, Trial

__all__ = ["OBSERVERS", "REGISTRATION", "WRAPPERS", "HookSpecs", "hook_names"]

#: registration hooks, with the kind of component that each returns
REGISTRATION: dict[str, str] = {
    "daybreak_register_targets": "target",
    "daybreak_register_optimizers": "optimizer",
    "daybreak_register_executors": "executor",
    "daybreak_register_metrics": "metric",
    "daybreak_register_views": "view",
    "daybreak_register_importers": "importer",
    "daybreak_register_exporters": "exporter",
    "daybreak_register_reports": "report",
}
#: hooks that are told what happens and return nothing
OBSERVERS: tuple[str, ...] = (
    "daybreak_run_started",
    "daybreak_study_started",
    "daybreak_trial_finished",
    "daybreak_study_finished",
    "daybreak_run_finished",
)
#: hooks that are implemented as wrappers only
WRAPPERS: tuple[str, ...] = ("daybreak_trial_protocol",)


class HookSpecs:
    """Every hook. The methods are never called; their signatures and docstrings are the contract."""

    # ---- registration: once per process, when the plugins are loaded -------------------------

    @hookspec
    def daybreak_register_targets(self) -> Iterable[TargetSpec]:  # type: ignore[empty-body]
        """Return the targets that this plugin brings.

        **When:** once, while plugins are loaded, in every process that loads plugins (the command
        line, a notebook; not the worker). **Slow:** no; it runs for ``daybreak plugins list``, so
        it must not import compilers, numpy or the target itself.

        Returns:
            A list of `TargetSpec`.

        Example::

            from daybreak import TargetSpec, hookimpl

            @hookimpl
            def daybreak_register_targets():
                return [
                    TargetSpec(
                        name="abacus",
                        factory="abacus.target:AbacusTarget",
                        summary="Sums computed by hand",
                    )
                ]
        """

    @hookspec
    def daybreak_register_optimizers(self) -> Iterable[OptimizerSpec]:  # type: ignore[empty-body]
        """Return the optimizers that this plugin brings.

        **When:** once, while plugins are loaded, in every process that loads plugins.
        **Slow:** no; see `daybreak_register_targets`.

        Returns:
            A list of `OptimizerSpec`.

        Example::

            from daybreak import OptimizerSpec, hookimpl

            @hookimpl
            def daybreak_register_optimizers():
                return [
                    OptimizerSpec(
                        name="coin",
                        factory="abacus.coin:CoinOptimizer",
                        summary="Tosses a coin for every parameter",
                        parameter_types=frozenset({"categorical", "ordinal"}),
                    )
                ]
        """

    @hookspec
    def daybreak_register_executors(self) -> Iterable[ExecutorSpec]:  # type: ignore[empty-body]
        """Return the executors that this plugin brings: where studies run.

        **When:** once, while plugins are loaded, in every process that loads plugins.
        **Slow:** no; see `daybreak_register_targets`.

        Returns:
            A list of `ExecutorSpec`.

        Example::

            from daybreak import ExecutorSpec, hookimpl

            @hookimpl
            def daybreak_register_executors():
                return [
                    ExecutorSpec(
                        name="abacus-hall",
                        factory="abacus.hall:HallExecutor",
                        summary="A study per clerk",
                    )
                ]
        """

    @hookspec
    def daybreak_register_metrics(self) -> Iterable[MetricSpec]:  # type: ignore[empty-body]
        """Return the derived metrics that this plugin brings; unit and direction are mandatory.

        **When:** once, while plugins are loaded, in every process that loads plugins.
        **Slow:** no; see `daybreak_register_targets`.

        Returns:
            A list of `MetricSpec`.

        Example::

            from daybreak import MetricSpec, hookimpl

            @hookimpl
            def daybreak_register_metrics():
                return [
                    MetricSpec(
                        name="beads_per_second",
                        factory="abacus.metrics:beads_per_second",
                        summary="How fast the beads move",
                        unit="1/s",
                        direction="maximize",
                    )
                ]
        """

    @hookspec
    def daybreak_register_views(self) -> Iterable[ViewSpec]:  # type: ignore[empty-body]
        """Return the SQL views that this plugin brings.

        **When:** once, while plugins are loaded, in every process that loads plugins.
        **Slow:** no; see `daybreak_register_targets`.

        Returns:
            A list of `ViewSpec`; the factory returns the view's SELECT statement.

        Example::

            from daybreak import ViewSpec, hookimpl

            @hookimpl
            def daybreak_register_views():
                return [
                    ViewSpec(
                        name="slips",
                        factory="abacus.views:slips",
                        summary="Trials that returned wrong sums, by clerk",
                    )
                ]
        """

    @hookspec
    def daybreak_register_importers(self) -> Iterable[ImporterSpec]:  # type: ignore[empty-body]
        """Return the importers that this plugin brings: readers of other tools' results.

        **When:** once, while plugins are loaded, in every process that loads plugins.
        **Slow:** no; see `daybreak_register_targets`.

        Returns:
            A list of `ImporterSpec`.

        Example::

            from daybreak import ImporterSpec, hookimpl

            @hookimpl
            def daybreak_register_importers():
                return [
                    ImporterSpec(
                        name="ledger",
                        factory="abacus.ledger:LedgerImporter",
                        summary="Reads a clerk's ledger",
                    )
                ]
        """

    @hookspec
    def daybreak_register_exporters(self) -> Iterable[ExporterSpec]:  # type: ignore[empty-body]
        """Return the exporters that this plugin brings: writers of other tools' formats.

        **When:** once, while plugins are loaded, in every process that loads plugins.
        **Slow:** no; see `daybreak_register_targets`.

        Returns:
            A list of `ExporterSpec`.

        Example::

            from daybreak import ExporterSpec, hookimpl

            @hookimpl
            def daybreak_register_exporters():
                return [
                    ExporterSpec(
                        name="ledger",
                        factory="abacus.ledger:LedgerExporter",
                        summary="Writes a clerk's ledger",
                        suffix=".csv",
                    )
                ]
        """

    @hookspec
    def daybreak_register_reports(self) -> Iterable[ReportSpec]:  # type: ignore[empty-body]
        """Return the report sections that this plugin brings.

        **When:** once, while plugins are loaded, in every process that loads plugins.
        **Slow:** no; see `daybreak_register_targets`.

        Returns:
            A list of `ReportSpec`.

        Example::

            from daybreak import ReportSpec, hookimpl

            @hookimpl
            def daybreak_register_reports():
                return [
                    ReportSpec(
                        name="beads",
                        factory="abacus.report:beads",
                        summary="How the beads moved",
                    )
                ]
        """

    # ---- observers: while a run goes on; a raising observer is reported and changes nothing ----

    @hookspec
    def daybreak_run_started(self, run: Mapping[str, Any]) -> None:
        """Take note that a run began (or went on after an interruption).

        **When:** after the plan is made and before the first study, in the process of
        ``daybreak run``. **Slow:** may take a second; the run waits for it.

        Args:
            run: `run_id` and `suite`; later versions may add keys.

        Example::

            from daybreak import hookimpl

            @hookimpl
            def daybreak_run_started(run):
                print(f"run {run['run_id']} of suite {run['suite']}")
        """

    @hookspec
    def daybreak_study_started(self, study: Mapping[str, Any]) -> None:
        """Take note that a study began (or went on).

        **When:** when its benchmark is open and before its first trial, in the process that runs
        the study, which with several jobs is not the main thread. **Slow:** may take a second.

        Args:
            study: `study_id`, `benchmark`, `optimizer`, `seed` and `role` (`optimizer`, or
                `references` for the harness's own measuring of references); later versions may
                add keys.

        Example::

            from daybreak import hookimpl

            @hookimpl
            def daybreak_study_started(study):
                print(f"{study['optimizer']} on {study['benchmark']}")
        """

    @hookspec
    def daybreak_trial_finished(self, study: Mapping[str, Any], trial: Trial) -> None:
        """Take note of a finished trial, good or failed.

        **When:** after the trial is durably recorded, in the process that runs the study, between
        two trials and never inside a timed region. **Slow:** no; it is called for every trial, and
        the next trial waits for it.

        Args:
            study: the study that it belongs to, as in `daybreak_study_started`.
            trial: the `Trial`: configuration, outcome, clocks.

        Example::

            from daybreak import hookimpl

            @hookimpl
            def daybreak_trial_finished(study, trial):
                if not trial.ok:
                    print(f"{study['study_id']} #{trial.number}: {trial.outcome.failure_kind}")
        """

    @hookspec
    def daybreak_study_finished(self, study: Mapping[str, Any]) -> None:
        """Take note that a study ended; its status says how.

        **When:** after its last trial is recorded, in the process that runs the study.
        **Slow:** may take a second.

        Args:
            study: as in `daybreak_study_started`, and `status`: `finished`, `exhausted` (the
                optimizer had nothing left to propose) or `failed`.

        Example::

            from daybreak import hookimpl

            @hookimpl
            def daybreak_study_finished(study):
                print(f"{study['study_id']} ended: {study['status']}")
        """

    @hookspec
    def daybreak_run_finished(self, run: Mapping[str, Any]) -> None:
        """Take note that a run ended; its status says how.

        **When:** after the last study, also after Ctrl-C, in the process of ``daybreak run``; not
        after a kill. **Slow:** may take some seconds (send a message, copy the results).

        Args:
            run: as in `daybreak_run_started`, and `status`: `finished`, `failed` (some studies
                failed) or `interrupted`.

        Example::

            from daybreak import hookimpl

            @hookimpl
            def daybreak_run_finished(run):
                print(f"run {run['run_id']} ended: {run['status']}")
        """

    # ---- around a trial -------------------------------------------------------------------------

    @hookspec(firstresult=True)
    def daybreak_trial_protocol(  # type: ignore[empty-body]
        self, study: Mapping[str, Any], configuration: Configuration, measure: Callable[[], Outcome]
    ) -> Outcome:
        """Wrap the measuring of one trial: set clocks before it, read a power meter around it.

        **When:** around build, verify and measure of each trial, in the process that runs the
        study; the timed region lies in the worker, so a wrapper never costs measured time.
        **Slow:** its time counts into the study's.

        It must be a wrapper (``@hookimpl(wrapper=True)``) that yields once; the yield gives the
        `Outcome`, and the wrapper returns it, or a copy with more `facts` or `readings`. A
        wrapper that raises is reported and the trial's own outcome is kept.

        Args:
            study: the study, as in `daybreak_study_started`.
            configuration: what is measured.
            measure: what the innermost implementation, Daybreak's own, calls.

        Example::

            import dataclasses
            from daybreak import hookimpl

            @hookimpl(wrapper=True)
            def daybreak_trial_protocol(study, configuration):
                outcome = yield
                readings = {**outcome.readings, "abacus.beads": 42}
                return dataclasses.replace(outcome, readings=readings)
        """


def hook_names() -> tuple[str, ...]:
    """Return the names of all hooks, in life-cycle order."""
    return (*REGISTRATION, *OBSERVERS, *WRAPPERS)
