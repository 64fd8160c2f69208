"""The setup of TACO, with a counterfeit package index, cmake and archive."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest

from daybreak import RequirementError
from daybreak_taco import install, pip
from daybreak_taco.process import ProgramError, run_logged
from daybreak_taco.toolchain import VERSION, probe

TACO = f"""#!{sys.executable}
import sys
if "-version" in sys.argv:
    print("TACO version: 0.1")
else:
    name = next(a for a in sys.argv if a.startswith("-write-source=")).partition("=")[2]
    open(name, "w").write("// header\\n\\nint compute(void) {{\\n  return 0;\\n}}\\n")
"""

CMAKE = f"""#!{sys.executable}
import os, sys, time
arguments = sys.argv[1:]
if "--build" in arguments:
    build = arguments[arguments.index("--build") + 1]
    for percent in (25, 50, 100):
        print(f"[ {{percent}}%] Building", flush=True)
    if os.path.exists(__file__ + ".slow"):
        open(__file__ + ".pid", "w").write(str(os.getpid()))
        time.sleep(60)
    if os.path.exists(__file__ + ".fails"):
        sys.exit("boom.cpp:1: error: something")
    for folder, name in (("bin", "taco"), ("lib", "libtaco.so")):
        os.makedirs(os.path.join(build, folder))
        with open(os.path.join(build, folder, name), "w") as out:
            out.write({TACO!r})
        os.chmod(os.path.join(build, folder, name), 0o755)
"""


def archive(path: Path, extra: str | None = None) -> str:
    """Write a source archive; return its checksum."""
    with tarfile.open(path, "w:gz") as packed:
        root = install.ARCHIVE.removesuffix(".tar.gz")
        for name in (f"{root}/src/taco/LICENSE", *([extra] if extra else [])):
            entry = tarfile.TarInfo(name)
            entry.size = 4
            packed.addfile(entry, io.BytesIO(b"MIT\n"))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def tools(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with a counterfeit cmake, and an archive in the cache's download folder."""
    probe.cache_clear()
    folder = tmp_path / "tools"
    folder.mkdir()
    for name, script in (("cmake", CMAKE), ("cc", ""), ("c++", ""), ("make", "")):
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    download = cache / "download"
    download.mkdir(parents=True)
    monkeypatch.setattr(install, "SHA256", archive(download / install.ARCHIVE))
    return folder


def quiet(fraction: float | None, what: str) -> None:
    pass


def leftovers(cache: Path) -> list[str]:
    return [path.name for path in cache.glob(f"{VERSION}.*") if path.suffix != ".lock"]


def test_it_builds_reports_progress_and_leaves_nothing_else(tools: Path, cache: Path) -> None:
    told: list[tuple[float | None, str]] = []
    message = install.setup(lambda fraction, what: told.append((fraction, what)))
    assert str(install.installed()) in message
    assert probe(install.installed()) == "TACO version: 0.1"
    assert stat.S_IMODE(install.installed().stat().st_mode) & stat.S_IXUSR
    assert (cache / VERSION / "LICENSE").exists()
    assert leftovers(cache) == []
    fractions = [fraction for fraction, _ in told if fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert sum(what == "compiling TACO" for _, what in told) == 3


def test_a_second_time_nothing_is_done_unless_forced(tools: Path) -> None:
    install.setup(quiet)
    before = install.installed().stat().st_ino
    assert "is installed" in install.setup(quiet)
    assert install.installed().stat().st_ino == before
    assert "built in" in install.setup(quiet, force=True)
    assert install.installed().stat().st_ino != before


def test_a_failed_build_shows_the_end_of_the_log_and_keeps_it(tools: Path, cache: Path) -> None:
    (tools / "cmake.fails").touch()
    with pytest.raises(RequirementError, match=r"boom\.cpp:1: error: something"):
        install.setup(quiet)
    assert leftovers(cache) == [f"{VERSION}.log"]
    assert "boom.cpp" in (cache / f"{VERSION}.log").read_text()
    assert not install.installed().exists()


def test_a_failed_rebuild_leaves_the_old_one(tools: Path) -> None:
    install.setup(quiet)
    (tools / "cmake.fails").touch()
    with pytest.raises(RequirementError):
        install.setup(quiet, force=True)
    assert probe(install.installed()) is not None


def test_an_interrupted_build_leaves_no_process_and_no_folder(tools: Path, cache: Path) -> None:
    (tools / "cmake.slow").touch()
    mark = tools / "cmake.pid"

    def interrupt(fraction: float | None, what: str) -> None:
        if what == "compiling TACO" and (fraction or 0) > 0.9:
            while not (mark.exists() and mark.read_text()):
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install.setup(interrupt)
    assert leftovers(cache) == [f"{VERSION}.log"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
    (tools / "cmake.slow").unlink()
    assert "built in" in install.setup(quiet)


def test_remains_of_a_killed_setup_are_cleared(tools: Path, cache: Path) -> None:
    (cache / f"{VERSION}.build-abc" / "deep").mkdir(parents=True)
    install.setup(quiet)
    assert leftovers(cache) == []


def test_two_setups_at_once_build_once(tools: Path) -> None:
    (tools / "cmake.slow").touch()
    messages: list[str] = []
    waiting = threading.Event()

    def first() -> None:
        messages.append(install.setup(lambda fraction, what: None))

    def tell(fraction: float | None, what: str) -> None:
        if "waiting" in what:
            waiting.set()

    cmake = (tools / "cmake").read_text()
    (tools / "cmake").write_text(cmake.replace("time.sleep(60)", "time.sleep(1)"))
    thread = threading.Thread(target=first)
    thread.start()
    while not (tools / "cmake.pid").exists():
        time.sleep(0.01)
    messages.append(install.setup(tell))
    thread.join()
    assert waiting.is_set()
    assert sorted(message.split()[2] for message in messages) == ["built", "is"]


def test_a_kept_archive_with_another_checksum_is_fetched_again(
    tools: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = cache / "download" / install.ARCHIVE
    good = kept.read_bytes()
    kept.write_bytes(b"rubbish")

    def download(*arguments: object) -> Path:
        path = Path(str(arguments[4])) / install.ARCHIVE
        path.write_bytes(good)
        return path

    monkeypatch.setattr(pip, "download", download)
    install.setup(quiet)
    assert kept.read_bytes() == good


def test_a_download_with_another_checksum_is_refused(
    tools: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cache / "download" / install.ARCHIVE).unlink()

    def download(*arguments: object) -> Path:
        path = Path(str(arguments[4])) / install.ARCHIVE
        path.write_bytes(b"rubbish")
        return path

    monkeypatch.setattr(pip, "download", download)
    with pytest.raises(RequirementError, match=f"expected: sha256 {install.SHA256}"):
        install.setup(quiet)
    assert not install.installed().exists()
    assert not (cache / "download" / install.ARCHIVE).exists()


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "another checksum"),
        ("Could not find a version", "could not be had"),
    ],
)
def test_pips_refusal_is_shown_with_the_way_out(
    tools: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, said: str, part: str
) -> None:
    (cache / "download" / install.ARCHIVE).unlink()
    client = tools / "pip"
    client.write_text(f"#!{sys.executable}\nraise SystemExit({said!r})\n")
    client.chmod(0o755)
    monkeypatch.setattr(pip, "_clients", lambda scratch, log: iter([[str(client)]]))
    with pytest.raises(RequirementError) as caught:
        install.setup(quiet)
    assert part in str(caught.value)
    assert said in str(caught.value)
    assert str(cache / "download") in str(caught.value)


def test_the_next_client_is_tried_when_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = tmp_path / "pip"
    good.write_text(
        f"#!{sys.executable}\nimport sys\n"
        "open(sys.argv[sys.argv.index('--dest') + 1] + '/a.tar.gz', 'w')\n"
    )
    good.chmod(0o755)
    clients = [["/nowhere/pip"], [str(good)]]
    monkeypatch.setattr(pip, "_clients", lambda scratch, log: iter(clients))
    log = tmp_path / "log"
    assert pip.download("a", "1", "0" * 64, "a.tar.gz", tmp_path, log).exists()
    assert "--require-hashes" in log.read_text()
    assert "a==1 --hash=sha256:" in (tmp_path / "requirements.txt").read_text()


def test_an_archive_that_climbs_out_is_refused(
    tools: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = cache / "download" / install.ARCHIVE
    monkeypatch.setattr(install, "SHA256", archive(path, "../../escaped"))
    with pytest.raises((tarfile.TarError, RequirementError)):
        install.setup(quiet)
    assert not (cache / "escaped").exists()
    assert not install.installed().exists()


@pytest.mark.parametrize("missing", ["cmake", "c++", "cc", "make"])
def test_missing_tools_are_named_with_the_command(
    tools: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tools / missing).unlink()
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(RequirementError, match="apt install"):
        install.setup(quiet)


def test_a_program_that_does_not_start_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="nowhere"):
        run_logged(["/nowhere/program"], tmp_path / "log")
