"""OpenTuner through its `TuningRunManager`, with its database in memory."""

from __future__ import annotations

import argparse
import datetime
import logging
import math

from daybreak import Configuration
from daybreak_peers.adapter import Proposal
from daybreak_peers.single import OneAtATime

# OpenTuner puts a formatter of its own in place of the standard library's, and logs to a file
_formatter = logging.Formatter

import opentuner  # noqa: E402
from opentuner import tuningrunmain  # noqa: E402
from opentuner.api import TuningRunManager  # noqa: E402
from opentuner.measurement.interface import DefaultMeasurementInterface  # noqa: E402
from opentuner.resultsdb.models import DesiredResult, Result  # noqa: E402
from opentuner.search import technique as techniques  # noqa: E402
from opentuner.search.manipulator import ConfigurationManipulator  # noqa: E402

from daybreak_peers.opentuner_encoding import Embedding, OwnTypes  # noqa: E402

logging.Formatter = _formatter  # type: ignore[misc]
tuningrunmain.init_logging = lambda: None
logging.getLogger("opentuner").setLevel(logging.ERROR)

__all__ = ["OpenTuner", "technique_names"]

#: generations of OpenTuner without anything to measure before it counts as ended, as its own
#: `--bail-threshold`
_BAIL = 500
#: the date of what OpenTuner is told of and did not ask for
_DATE = datetime.datetime(2000, 1, 1)


class OpenTuner(OneAtATime):
    """A technique of OpenTuner, by default its AUC bandit.

    A suggestion goes through its database, which makes those that repeat themselves dear.
    """

    patience = 100

    def prepare(self) -> None:
        """Start a tuning run."""
        embedding = self.options.get("encoding", "embedding") == "embedding"
        self._encoding: Embedding | OwnTypes = (
            Embedding(self.space) if embedding else OwnTypes(self.space)
        )
        arguments = argparse.ArgumentParser(parents=opentuner.argparsers()).parse_args([])
        arguments.database = "sqlite://"
        arguments.no_dups = True
        arguments.technique = [self.options.get("technique", "AUCBanditMetaTechniqueA")]
        manipulator = ConfigurationManipulator()
        for parameter in self._encoding.parameters:
            manipulator.add_parameter(parameter)
        interface = DefaultMeasurementInterface(
            args=arguments, manipulator=manipulator, project_name="daybreak"
        )
        self._manager = TuningRunManager(interface, arguments)

    def turn(self) -> Proposal | None:
        """Take the next result that OpenTuner desires; what its database knows it answers itself."""
        for _ in range(_BAIL):
            desired = self._manager.get_next_desired_result()
            if desired is not None:
                values = dict(desired.configuration.data)
                facts = {"technique": desired.requestor}
                return Proposal(self._encoding.decode(values), desired, facts=facts)
        return None

    def settle(self, proposal: Proposal, cost: float | None) -> None:
        """Report the result; a failure has the state ERROR."""
        self._manager.report_result(proposal.handle, _result(cost))

    def inject(self, configuration: Configuration, cost: float | None) -> None:
        """Add a result that OpenTuner did not ask for to its database."""
        manager = self._manager
        values = self._encoding.encode(configuration)
        if values is None:
            return
        desired = DesiredResult(
            configuration=manager.search_driver.get_configuration(values),
            requestor="daybreak",
            generation=manager.search_driver.generation,
            request_date=_DATE,
            tuning_run=manager.tuning_run,
        )
        manager.session.add(desired)
        manager.session.flush()
        manager.report_result(desired, _result(cost))


def technique_names() -> list[str]:
    """Return the names of OpenTuner's techniques."""
    return sorted({technique.name for technique in techniques.all_techniques()[0]})


def _result(cost: float | None) -> Result:
    if cost is None:
        return Result(state="ERROR", time=math.inf)
    return Result(time=cost)
