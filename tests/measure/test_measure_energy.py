"""Energy counters against a made-up powercap tree and a made-up NVML."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from measure_support import open_nasty

from daybreak.measure.counters import (
    Found,
    Missing,
    NvmlCounter,
    find_counters,
    find_nvml,
    find_rapl,
)
from daybreak.measure.energy import EnergyMeter, energy_metric

RANGE_UJ = 262_143_328_850


def powercap(
    root: Path, packages: dict[str, int], *, most_uw: int | None = 100_000_000, span: int = RANGE_UJ
) -> Path:
    """Make a tree as Linux has it on a server: packages, their cores, and the platform domain."""
    (root / "intel-rapl").mkdir(parents=True)
    for i, (name, value) in enumerate(packages.items()):
        zone = root / f"intel-rapl:{i}"
        write_zone(zone, name, value, span)
        if most_uw is not None:
            (zone / "constraint_0_max_power_uw").write_text(f"{most_uw}\n")
            (zone / "constraint_1_max_power_uw").write_text("0\n")
        write_zone(root / f"intel-rapl:{i}:0", "core", value // 2, span)
        write_zone(root / f"intel-rapl-mmio:{i}", name, value, span)
    write_zone(root / f"intel-rapl:{len(packages)}", "psys", 10**9, span)
    return root


def write_zone(zone: Path, name: str, value: int, span: int) -> None:
    zone.mkdir()
    (zone / "name").write_text(f"{name}\n")
    (zone / "energy_uj").write_text(f"{value}\n")
    (zone / "max_energy_range_uj").write_text(f"{span}\n")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def meter_of(root: Path, clock: Clock) -> EnergyMeter:
    return EnergyMeter(("cpu",), clock=clock, find=lambda _: find_rapl(root))


def measured(meter: EnergyMeter) -> tuple[list[float] | None, dict[str, Any] | None]:
    values: dict[str, list[float]] = {}
    facts: dict[str, Any] = {}
    meter.end(values, facts)
    return values.get("energy"), facts.get("energy")


def test_all_packages_are_summed_and_nothing_else(tmp_path: Path) -> None:
    root = powercap(tmp_path / "powercap", {"package-0": 5_000_000, "package-1": 7_000_000})
    clock = Clock()
    meter = meter_of(root, clock)
    meter.begin()
    (root / "intel-rapl:0/energy_uj").write_text("6500000\n")
    (root / "intel-rapl:1/energy_uj").write_text("7250000\n")
    (root / "intel-rapl:2/energy_uj").write_text("9000000000\n")  # the platform
    clock.now += 2.5
    joules, fact = measured(meter)
    assert joules == pytest.approx([1.75])
    assert fact == {"counters": ["rapl:package-0", "rapl:package-1"], "seconds": 2.5}


def test_a_counter_that_went_round_is_unwrapped(tmp_path: Path) -> None:
    root = powercap(tmp_path / "powercap", {"package-0": RANGE_UJ - 3_000_000})
    clock = Clock()
    meter = meter_of(root, clock)
    meter.begin()
    (root / "intel-rapl:0/energy_uj").write_text("2000000\n")
    clock.now += 10
    joules, _ = measured(meter)
    assert joules == pytest.approx([5.0])


def test_looks_in_between_catch_every_round(tmp_path: Path) -> None:
    # 30 J a look with a range of 40 J: each round is seen, though the sum is many ranges
    root = powercap(tmp_path / "powercap", {"package-0": 0}, most_uw=500_000, span=40_000_000)
    clock = Clock()
    meter = meter_of(root, clock)
    meter.begin()
    asked = []
    watched = meter.watching(lambda: bool(asked.append(clock.now)))
    total = 0
    for _ in range(11):
        total += 30_000_000
        (root / "intel-rapl:0/energy_uj").write_text(f"{total % 40_000_000}\n")
        clock.now += 31  # at most 1 W
        assert watched() is False
    joules, fact = measured(meter)
    assert joules == pytest.approx([330.0])
    assert fact is not None
    assert fact["seconds"] == 341
    assert len(asked) == 11


def test_a_silence_in_which_a_counter_may_have_gone_round_twice_gives_nothing(
    tmp_path: Path,
) -> None:
    # 100 W are its most, so 200 W are feared: 262 kJ last 1,310 s
    root = powercap(tmp_path / "powercap", {"package-0": 0})
    clock = Clock()
    for silence, known in ((1300.0, True), (1320.0, False)):
        meter = meter_of(root, clock)
        (root / "intel-rapl:0/energy_uj").write_text("0\n")
        meter.begin()
        (root / "intel-rapl:0/energy_uj").write_text("9000000\n")
        clock.now += silence
        joules, fact = measured(meter)
        assert (joules is not None) is known
        assert fact is not None
        assert ("more than once in 1320 s" in fact.get("absent", "")) is not known


def test_without_a_known_limit_a_kilowatt_is_feared(tmp_path: Path) -> None:
    root = powercap(tmp_path / "powercap", {"package-0": 0}, most_uw=None)
    assert find_rapl(root).counters[0].most_w == 1000.0


def test_a_counter_that_stands_or_vanishes_gives_no_sample(tmp_path: Path) -> None:
    root = powercap(tmp_path / "powercap", {"package-0": 5})
    clock = Clock()
    meter = meter_of(root, clock)
    meter.begin()
    clock.now += 0.0005
    joules, fact = measured(meter)
    assert joules is None
    assert fact is not None
    assert fact["absent"] == "the counters did not advance in 0.0005 s"
    meter = meter_of(root, clock)
    meter.begin()
    (root / "intel-rapl:0/energy_uj").unlink()
    joules, fact = measured(meter)
    assert joules is None
    assert fact is not None
    assert "No such file" in fact["absent"]
    assert fact["seconds"] >= 0


def test_a_reading_beyond_the_range_is_not_unwrapped(tmp_path: Path) -> None:
    root = powercap(tmp_path / "powercap", {"package-0": 50_000_000}, span=40_000_000)
    meter = meter_of(root, Clock())
    meter.begin()
    (root / "intel-rapl:0/energy_uj").write_text("1000000\n")
    joules, fact = measured(meter)
    assert joules is None
    assert fact is not None
    assert fact["absent"] == "rapl:package-0 ran back"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_of_root_are_named_with_the_remedy(tmp_path: Path) -> None:
    root = powercap(tmp_path / "powercap", {"package-0": 5, "package-1": 6})
    (root / "intel-rapl:1/energy_uj").chmod(0)
    check_unreadable(find_rapl(root))


def test_refused_files_are_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = powercap(tmp_path / "powercap", {"package-0": 5, "package-1": 6})
    file = root / "intel-rapl:1/energy_uj"
    file.chmod(0o400)
    assert stat.S_IMODE(file.stat().st_mode) == 0o400
    read = Path.read_text

    def refuse(path: Path, *args: Any, **more: Any) -> str:
        if path == file:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *args, **more)

    monkeypatch.setattr(Path, "read_text", refuse)
    check_unreadable(find_rapl(root))


def check_unreadable(found: Found) -> None:
    # one package of two would pass for the whole
    assert found.counters == ()
    (missing,) = found.missing
    assert missing.name == "rapl:package-1"
    assert "only root may read" in missing.reason
    assert missing.remedy.startswith("sudo chmod a+r")


@pytest.mark.parametrize(
    ("made", "reason"),
    [(False, "there is no"), (True, "has no RAPL package domain")],
)
def test_a_machine_without_rapl_says_so(tmp_path: Path, made: bool, reason: str) -> None:
    root = tmp_path / "powercap"
    if made:
        root.mkdir()
        write_zone(root / "intel-rapl:0", "psys", 1, RANGE_UJ)
    found = find_rapl(root)
    assert found.counters == ()
    assert reason in found.missing[0].reason
    meter = meter_of(root, Clock())
    meter.begin()
    assert measured(meter) == (None, None)


@pytest.mark.parametrize("text", ["", "abc\n", "-\n"])
def test_a_file_without_a_number_is_no_counter(tmp_path: Path, text: str) -> None:
    root = powercap(tmp_path / "powercap", {"package-0": 5})
    (root / "intel-rapl:0/energy_uj").write_text(text)
    found = find_rapl(root)
    assert found.counters == ()
    assert "cannot be read" in found.missing[0].reason
    (root / "intel-rapl:0/energy_uj").write_text("5")
    (root / "intel-rapl:0/max_energy_range_uj").write_text("0")
    assert "returns to zero" in find_rapl(root).missing[0].reason


class FakeNvml:
    """As nvidia-ml-py 12 answers; values in mJ by UUID, or an exception."""

    class NVMLError(Exception):
        pass

    def __init__(self, energy: dict[str, int | None]) -> None:
        self.energy = energy

    def nvmlInit(self) -> None:  # noqa: N802
        if not self.energy:
            raise self.NVMLError("Driver Not Loaded")

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.energy)

    def nvmlDeviceGetHandleByIndex(self, i: int) -> str:  # noqa: N802
        return list(self.energy)[i]

    def nvmlDeviceGetUUID(self, handle: str) -> bytes:  # noqa: N802
        return handle.encode()

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:  # noqa: N802
        value = self.energy[handle]
        if value is None:
            raise self.NVMLError("Not Supported")
        return value


@pytest.fixture
def all_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.usefixtures("all_visible")
def test_gpus_count_millijoules_beside_the_packages(tmp_path: Path) -> None:
    root = powercap(tmp_path / "powercap", {"package-0": 1_000_000})
    nvml = FakeNvml({"GPU-aa": 4000, "GPU-bb": 100})

    def find(devices: Iterable[str]) -> Found:
        return Found((*find_rapl(root).counters, *find_nvml(nvml).counters))

    clock = Clock()
    meter = EnergyMeter(("gpu",), clock=clock, find=find)
    meter.begin()
    nvml.energy["GPU-aa"] = 6500
    (root / "intel-rapl:0/energy_uj").write_text("3000000\n")
    clock.now += 4000  # GPUs do not go round, the package does
    joules, fact = measured(meter)
    assert joules is None
    assert fact is not None
    assert "rapl:package-0 may have gone round" in fact["absent"]

    meter = EnergyMeter(("gpu",), clock=clock, find=find)
    meter.begin()
    nvml.energy["GPU-bb"] = 600
    clock.now += 4
    joules, fact = measured(meter)
    assert joules == pytest.approx([0.5])
    assert fact is not None
    assert fact["counters"] == ["rapl:package-0", "nvml:GPU-aa", "nvml:GPU-bb"]


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        ("1", ["nvml:GPU-bb"]),
        ("GPU-cc,0", ["nvml:GPU-cc", "nvml:GPU-aa"]),
        ("2,9,0", ["nvml:GPU-cc"]),  # CUDA stops at the first number that it does not know
        ("", []),
        ("-1", []),
        ("MIG-12ab", []),
    ],
)
def test_only_visible_gpus_count(
    monkeypatch: pytest.MonkeyPatch, visible: str, names: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = find_nvml(FakeNvml({"GPU-aa": 1, "GPU-bb": 2, "GPU-cc": 3}))
    assert [counter.name for counter in found.counters] == names
    assert bool(found.missing) is not bool(names)


@pytest.mark.usefixtures("all_visible")
def test_gpus_that_do_not_count_say_why() -> None:
    (missing,) = find_nvml(FakeNvml({})).missing
    assert missing == Missing("nvml", "NVML does not work here: Driver Not Loaded")
    found = find_nvml(FakeNvml({"GPU-old": None, "GPU-new": 5}))
    assert found.counters == ()
    assert "no counter: NVML: Not Supported" in found.missing[0].reason


def test_what_is_not_measured_on_processor_or_gpu_has_no_energy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYBREAK_POWERCAP", str(powercap(tmp_path / "powercap", {"package-0": 5})))
    assert find_counters(()) == find_counters(("fpga",)) == Found()
    assert [counter.name for counter in find_counters(("cpu",)).counters] == ["rapl:package-0"]
    assert energy_metric(()) is None
    metric = energy_metric(("cpu",))
    assert metric is not None
    assert (metric.name, metric.unit) == ("energy", "J")


def test_without_the_gpus_counter_a_gpu_trial_has_no_energy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYBREAK_POWERCAP", str(powercap(tmp_path / "powercap", {"package-0": 5})))
    monkeypatch.setattr(
        "daybreak.measure.counters.find_nvml", lambda: Found(missing=(Missing("nvml", "none"),))
    )
    found = find_counters(("gpu",))
    assert found.counters == ()
    assert [missing.name for missing in found.missing] == ["nvml"]


def test_a_session_that_meters_itself_is_not_overruled(tmp_path: Path) -> None:
    root = powercap(tmp_path / "powercap", {"package-0": 5})
    meter = meter_of(root, Clock())
    meter.begin()
    (root / "intel-rapl:0/energy_uj").write_text("3000000\n")
    values = {"energy": [0.25]}
    facts: dict[str, Any] = {}
    meter.end(values, facts)
    assert values == {"energy": [0.25]}
    assert facts == {}


def test_nvml_counters_have_no_end() -> None:
    counter = NvmlCounter("nvml:x", SimpleNamespace(), None)
    assert counter.range_j is None
    with pytest.raises(OSError, match="NVML"):
        counter.joules()


@pytest.mark.parametrize("isolation", ["worker", "fork"])
def test_a_trial_has_its_energy_and_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolation: str
) -> None:
    root = powercap(tmp_path / "powercap", {"package-0": RANGE_UJ - 1})
    file = root / "intel-rapl:0/energy_uj"
    monkeypatch.setenv("DAYBREAK_POWERCAP", str(root))
    over = threading.Event()

    def burn() -> None:
        joules = 0
        while not over.wait(0.001):
            joules += 1
            # one whole number at a time, as the kernel gives it
            file.with_name("next").write_text(f"{joules * 1_000_000}\n")
            file.with_name("next").replace(file)

    burning = threading.Thread(target=burn)
    with open_nasty(isolation, devices=("cpu",)) as bench:
        burning.start()
        try:
            outcome = bench.measure({"after": "tell_program"})  # 0.6 s
        finally:
            over.set()
            burning.join()
    assert outcome.status == "ok"
    fact = outcome.facts["energy"]
    assert fact["counters"] == ["rapl:package-0"]
    assert fact["seconds"] >= 0.6
    (energy,) = [sample.value for sample in outcome.samples if sample.metric == "energy"]
    assert energy > 0.0
    # from just before it goes round on, that is the joules burnt and a microjoule
    assert min(energy % 1.0, 1.0 - energy % 1.0) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("devices", [(), ("cpu",)])
def test_without_counters_a_trial_has_neither_sample_nor_fact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: tuple[str, ...]
) -> None:
    root = tmp_path / "powercap"
    if not devices:
        powercap(root, {"package-0": 5})
    monkeypatch.setenv("DAYBREAK_POWERCAP", str(root))
    with open_nasty("fork", devices=devices) as bench:
        outcome = bench.measure({"values": [1.0, 2.0]})
    assert "energy" not in outcome.facts
    assert {sample.metric for sample in outcome.samples} == {"time"}
