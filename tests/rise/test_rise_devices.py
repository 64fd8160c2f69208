"""Which device is meant, drivers that crash or hang, and where Intel's comes from."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from daybreak import RequirementError
from daybreak_rise.options import KmeansOptions, ScalOptions
from daybreak_rise.runtime import listing, probe
from daybreak_rise.runtime.limits import PUBLISHED, DeviceLimits
from daybreak_rise.runtime.listing import DeviceDescription, choose
from daybreak_rise.target import RiseTarget

SMALL = DeviceLimits(256, (256, 256, 64), 32768)
POCL = DeviceDescription(
    "Portable Computing Language", "OpenCL 3.0 PoCL 3.1", "pthread", "cpu", "3.1", 2,
    DeviceLimits(4096, (4096, 4096, 4096), 1 << 20),
)  # fmt: skip
OLD = DeviceDescription(
    "Portable Computing Language", "OpenCL 3.0 PoCL 3.0-rc2", "pthread", "cpu", "3.0", 2, SMALL
)
CARD = DeviceDescription("Mobile", "OpenCL 2.0", "Mali-T628", "gpu", "r12", 4, SMALL)


def test_a_gpu_comes_first_else_the_first_device():
    assert choose([POCL, OLD, CARD], None, None) is CARD
    assert choose([POCL, OLD], None, None) is POCL


def test_platforms_are_told_apart_by_their_version():
    assert choose([POCL, OLD], "PoCL 3.0", None) is OLD
    assert choose([POCL, CARD], None, "cpu") is POCL
    assert choose([POCL, CARD], None, "mali") is CARD


def test_a_device_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(RequirementError) as caught:
        choose([POCL, CARD], "intel", "gpu")
    text = str(caught.value)
    assert "platform 'intel' and device 'gpu'" in text
    assert "Mali-T628" in text
    assert "apt install" in text
    with pytest.raises(RequirementError, match="any name"):
        choose([], None, None)


def test_descriptions_survive_json():
    for one in (POCL, CARD):
        assert DeviceDescription.from_json(one.as_json()) == one
    for broken in ({}, {**POCL.as_json(), "limits": {}}, {**POCL.as_json(), "units": None}, 3):
        with pytest.raises(ValueError, match="no d"):
            DeviceDescription.from_json(broken)
    with pytest.raises(ValueError, match="no device limits"):
        DeviceLimits.from_json({"work_group": 0, "work_items": [1, 1, 1], "local_bytes": 1})


def fake_python(folder: Path, text: str) -> str:
    program = folder / "python"
    program.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
    program.chmod(0o700)
    return str(program)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import os; os.abort()", "ended the process"),
        ("import time; time.sleep(60)", "hangs"),
        ("print('LLVM ERROR: no')", "ended the process"),
        ('print(\'{"error": "no driver", "remedy": "apt install x"}\')', "no driver"),
        ('print(\'{"devices": [{"platform": 1}]}\')', "ended the process"),
    ],
)
def test_a_driver_that_crashes_or_hangs_is_a_requirement(tmp_path, monkeypatch, text, said):
    monkeypatch.setattr(sys, "executable", fake_python(tmp_path, text))
    with pytest.raises(RequirementError, match=said) as caught:
        probe.ask_devices(1.0)
    assert caught.value.remedy


def test_the_answer_is_kept_until_the_drivers_change(tmp_path, monkeypatch):
    asked = []

    def ask():
        asked.append(1)
        return (POCL,)

    monkeypatch.setattr(probe, "ask_devices", ask)
    monkeypatch.setattr(probe.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    monkeypatch.setenv("OCL_ICD_VENDORS", str(tmp_path))
    probe._found.cache_clear()
    try:
        assert probe.known_devices() == (POCL,)
        probe._found.cache_clear()
        assert probe.known_devices() == (POCL,)
        assert len(asked) == 1
        (tmp_path / "new.icd").write_text("libnew.so\n")
        probe._found.cache_clear()
        assert probe.known_devices() == (POCL,)
        assert len(asked) == 2
        kept = next((tmp_path / "daybreak" / "rise").glob("devices-*.json"))
        kept.write_text("[{}]")
        probe._found.cache_clear()
        probe.known_devices()
        assert len(asked) >= 2
    finally:
        probe._found.cache_clear()


def test_intels_driver_stands_beside_the_systems(tmp_path, monkeypatch):
    system, library = tmp_path / "system", tmp_path / "lib" / "libintelocl.so"
    system.mkdir()
    (system / "pocl.icd").write_text("libpocl.so.2\n")
    monkeypatch.setenv("OCL_ICD_VENDORS", str(system))
    monkeypatch.setattr(listing.ctypes, "CDLL", lambda *_, **__: None)
    listing._add_intel(library, tmp_path / "icd")
    assert os.environ["OCL_ICD_VENDORS"] == f"{tmp_path / 'icd'}{os.sep}"
    assert (tmp_path / "icd" / "pocl.icd").read_text() == "libpocl.so.2\n"
    assert (tmp_path / "icd" / "daybreak-intel.icd").read_text() == f"{library}\n"


def test_intels_driver_without_its_libraries_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("OCL_ICD_VENDORS", str(tmp_path / "none"))
    listing._add_intel(tmp_path / "lib" / "libintelocl.so", tmp_path / "icd")
    assert os.environ["OCL_ICD_VENDORS"] == str(tmp_path / "none")


def defined(monkeypatch, devices, **options):
    monkeypatch.setattr(probe, "known_devices", lambda: devices)
    return RiseTarget().define("kmeans", KmeansOptions(points=64, **options).model_dump())


def test_a_device_with_less_makes_the_space_smaller(monkeypatch):
    published = defined(monkeypatch, (POCL,))
    assert published.space.count() == 3641
    small = defined(monkeypatch, (CARD,))
    assert 0 < small.space.count() < 3641
    assert any("256 work-items" in note for note in small.notes)
    assert defined(monkeypatch, (CARD,), limits="published").space.count() == 3641


def test_without_a_device_the_benchmark_is_defined_and_its_need_told(monkeypatch):
    def none():
        raise RequirementError("no driver", remedy="apt install pocl-opencl-icd")

    monkeypatch.setattr(probe, "known_devices", none)
    target = RiseTarget()
    benchmark = target.define("scal", ScalOptions(n=64).model_dump())
    assert benchmark.space.fingerprint()
    (need,) = target.demands(benchmark)
    assert not need.met
    assert need.needed
    assert "no driver" in need.detail
    assert need.remedy
    assert not [one for one in target.check() if one.needed]


def test_limits_are_the_strictest():
    assert PUBLISHED.strictest(SMALL) == SMALL
    assert SMALL.strictest(PUBLISHED) == SMALL
