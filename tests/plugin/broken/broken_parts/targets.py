"""`Adder` keeps every rule; each other class breaks one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from daybreak.errors import BuildFailed
from daybreak.plugin.contracts import (
    Benchmark,
    Landscape,
    Progress,
    Reference,
    Requirement,
    Verdict,
)
from daybreak.records import Configuration, Event, FailureKind, MeasurementProtocol, Metric, Sample
from daybreak.space import Categorical, Ordinal, Space


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    numbers: int = 100


class GrowingOptions(Options):
    @field_validator("numbers")
    @classmethod
    def _grow(cls, value: int) -> int:
        return value + 1


class Session:
    """Adds numbers in chunks; a configuration with `fault` misbehaves."""

    def __init__(self, benchmark: Benchmark) -> None:
        self.numbers = list(range(int(benchmark.options["numbers"])))
        self.identity: Mapping[str, str] = {"numbers": str(len(self.numbers))}
        self.floors: Mapping[str, float] = {"time": 1e-12}
        self.progress: Progress = lambda share, what: None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.numbers = []

    def build(self, configuration: Configuration) -> Any:
        self.progress(0.5, "copying")
        return dict(configuration)

    def run(self, artifact: Any) -> int:
        fault = artifact.get("fault")
        if fault == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if fault == "hang":
            while True:
                time.sleep(0.05)
        if fault == "hog":
            held = []
            while True:
                held.append(bytearray(64 << 20))
        total = sum(self.numbers)
        return total + 1 if fault == "wrong" else total

    def verify(self, artifact: Any) -> Verdict:
        n = len(self.numbers)
        return Verdict(correct=self.run(artifact) == n * (n - 1) // 2)

    def measure(self, artifact: Any, protocol: MeasurementProtocol) -> Iterator[Sample | Event]:
        i = 0
        while True:
            began = time.perf_counter()
            self.run(artifact)
            yield Sample("time", time.perf_counter() - began + 1e-9, i)
            i += 1


class Adder:
    """A target with one benchmark."""

    session: type[Session] = Session

    def benchmarks(self) -> Iterable[Benchmark]:
        return [self.define("sum", {"numbers": 100})]

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        return Benchmark(
            name="sum",
            space=self.space(),
            objectives=(Metric("time", "s"),),
            instance=f"n{options['numbers']}",
            references=self.references(),
            options=dict(options),
        )

    def space(self) -> Space:
        return Space([Ordinal("chunk", (1, 2, 4, 8))], name="sum")

    def references(self) -> tuple[Reference, ...]:
        return (Reference("default", {"chunk": 1}),)

    def check(self) -> Iterable[Requirement]:
        return [Requirement("numbers", met=True)]

    def open(self, benchmark: Benchmark) -> Session:
        return self.session(benchmark)


class FaultyAdder(Adder):
    """Keeps every rule and knows what must fail."""

    def faults(self, benchmark: Benchmark) -> Iterable[tuple[FailureKind, Configuration]]:
        return [
            (FailureKind.WRONG_RESULT, {"chunk": 1, "fault": "wrong"}),
            (FailureKind.CRASH, {"chunk": 1, "fault": "crash"}),
            (FailureKind.TIMEOUT, {"chunk": 1, "fault": "hang"}),
            (FailureKind.MEMORY, {"chunk": 1, "fault": "hog"}),
        ]


class Credulous(FaultyAdder):
    class session(Session):  # noqa: N801
        def verify(self, artifact: Any) -> Verdict:
            return Verdict(correct=True)

    def faults(self, benchmark: Benchmark) -> Iterable[tuple[FailureKind, Configuration]]:
        return [(FailureKind.WRONG_RESULT, {"chunk": 1, "fault": "wrong"})]


class Misclassifies(FaultyAdder):
    class session(Session):  # noqa: N801
        def run(self, artifact: Any) -> int:
            if artifact.get("fault") == "crash":
                raise BuildFailed("it crashed, which is no fault of the compiler")
            return super().run(artifact)

    def faults(self, benchmark: Benchmark) -> Iterable[tuple[FailureKind, Configuration]]:
        return [(FailureKind.CRASH, {"chunk": 1, "fault": "crash"})]


class NonFinite(Adder):
    class session(Session):  # noqa: N801
        def measure(self, artifact: Any, protocol: MeasurementProtocol) -> Iterator[Any]:
            for sample in super().measure(artifact, protocol):
                yield Sample("power", float("nan"))
                yield sample

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        made = super().define(name, options)
        return Benchmark(
            name=made.name,
            space=made.space,
            objectives=made.objectives,
            metrics=(Metric("power", "W"),),
            instance=made.instance,
            references=made.references,
            options=made.options,
        )


class Undeclared(Adder):
    class session(Session):  # noqa: N801
        def measure(self, artifact: Any, protocol: MeasurementProtocol) -> Iterator[Any]:
            for sample in super().measure(artifact, protocol):
                yield Sample("beads", 3.0)
                yield sample


class NoUnit(Adder):
    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        made = super().define(name, options)
        return Benchmark(
            name=made.name,
            space=made.space,
            objectives=(Metric("time", ""),),
            instance=made.instance,
            references=made.references,
            options=made.options,
        )


class InfeasibleReference(Adder):
    def references(self) -> tuple[Reference, ...]:
        return (Reference("expert", {"chunk": 3}),)


class ChangingIdentity(Adder):
    class session(Session):  # noqa: N801
        def __init__(self, benchmark: Benchmark) -> None:
            super().__init__(benchmark)
            self.identity = {"numbers": str(hash("numbers"))}


class ChangingSpace(Adder):
    def space(self) -> Space:
        levels = tuple({"-O0", "-O1", "-O2", "-O3", "-Os", "-Og"})
        return Space([Categorical("level", levels), Ordinal("chunk", (1, 2, 4, 8))])

    def references(self) -> tuple[Reference, ...]:
        return (Reference("default", {"level": "-O0", "chunk": 1}),)


class ChangingLabel(Adder):
    defined = 0

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        made = super().define(name, options)
        type(self).defined += 1
        return Benchmark(
            name=made.name,
            space=made.space,
            objectives=made.objectives,
            instance=f"try{self.defined}",
            references=made.references,
            options=made.options,
        )


class ClosesOnce(Adder):
    class session(Session):  # noqa: N801
        closed = False

        def __exit__(self, *_: object) -> None:
            if self.closed:
                raise RuntimeError("closed already")
            self.closed = True


class StopsForGood(Adder):
    class session(Session):  # noqa: N801
        def measure(self, artifact: Any, protocol: MeasurementProtocol) -> Iterator[Any]:
            if artifact.get("busy"):
                raise RuntimeError("measured already")
            artifact["busy"] = True
            yield from super().measure(artifact, protocol)


class Litters(Adder):
    class session(Session):  # noqa: N801
        def build(self, configuration: Configuration) -> Any:
            with open("kernel.o", "wb") as file:
                file.write(b"litter")
            return super().build(configuration)


class ChangesItsMind(Adder):
    class session(Session):  # noqa: N801
        def verify(self, artifact: Any) -> Verdict:
            artifact["verified"] = artifact.get("verified", 0) + 1
            return Verdict(correct=artifact["verified"] == 1)

        def measure(self, artifact: Any, protocol: MeasurementProtocol) -> Iterator[Any]:
            artifact["verified"] = 0
            return super().measure(artifact, protocol)


class InternalError(Adder):
    class session(Session):  # noqa: N801
        def build(self, configuration: Configuration) -> Any:
            return {"chunk": {1: 1}[configuration["chunk"]]}  # type: ignore[index]


class SaysNoHiddenConstraints(Adder):
    class session(Session):  # noqa: N801
        def build(self, configuration: Configuration) -> Any:
            if configuration["chunk"] != 1:
                raise BuildFailed("too many beads")
            return super().build(configuration)

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        made = super().define(name, options)
        return Benchmark(
            name=made.name,
            space=made.space,
            objectives=made.objectives,
            instance=made.instance,
            references=made.references,
            options=made.options,
            hidden_constraints=False,
        )


class NoRemedy(Adder):
    def check(self) -> Iterable[Requirement]:
        return [Requirement("beads", met=False, detail="sold out")]


class ListsTwice(Adder):
    def benchmarks(self) -> Iterable[Benchmark]:
        return [*super().benchmarks(), *super().benchmarks()]


class StrangeFloor(Adder):
    class session(Session):  # noqa: N801
        def __init__(self, benchmark: Benchmark) -> None:
            super().__init__(benchmark)
            self.floors = {"beads": 1.0}


class CountsInPercent(Adder):
    class session(Session):  # noqa: N801
        def build(self, configuration: Configuration) -> Any:
            self.progress(50.0, "copying")
            return dict(configuration)


class TimeRunsBack(Adder):
    class session(Session):  # noqa: N801
        def simulated_phases(
            self,
            configuration: Configuration,
            repetitions: int,
        ) -> Mapping[str, float]:
            return {"build": 1.0, "measure": 1.0 - 0.25 * repetitions}


class KnowsTooMuch(Adder):
    class session(Session):  # noqa: N801
        def landscape(self) -> Landscape:
            return Landscape(values=[1.0] * 10_000, failures=0)
