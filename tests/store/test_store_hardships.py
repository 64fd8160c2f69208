"""Hardships: kill -9 at any moment, full disks, read-only folders, several writers at once."""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
from store_samples import STUDY, begin, make_trial, record_run

from daybreak.analysis import query
from daybreak.errors import StoreError
from daybreak.store import RunWriter, find_runs, ingest, read_run, rebuild

HERE = Path(__file__).parent

# records trials, saying each number aloud once it is recorded; small segments, so that kills hit
# the sealing too, and takes everything into the index now and then
WRITER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
import daybreak.store.writer as writer_module
from daybreak.store import RunWriter, ingest, read_run
from store_samples import STUDY, make_trial
writer_module.SEGMENT_BYTES = int(sys.argv[4])
results, run_id = Path(sys.argv[1]), sys.argv[2]
writer = RunWriter.resume(results, run_id)
study = read_run(results, run_id).studies["k1"]
number = len(study.trials)
assert [trial.number for trial in study.trials] == list(range(number))
print("ready", flush=True)
for number in range(number, number + 100_000):
    writer.trial(study.row.study_id, make_trial(number, 1.0 + number))
    print(number, flush=True)
    if number % 15 == 14:
        ingest(results)
    time.sleep(0.002)
"""


class Writer:
    """A process that records trials until it is killed; what it says goes to a file."""

    def __init__(self, results: Path, run_id: str, *, small: bool = True) -> None:
        self._said = results / f"said-{run_id}"
        with self._said.open("w") as file:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-c", WRITER, str(results), run_id, str(HERE),
                    "4000" if small else "1000000",
                ],
                stdout=file,
                stderr=subprocess.PIPE,
                text=True,
            )  # fmt: skip
        self.pid = self._process.pid
        while "ready\n" not in self._said.read_text():
            assert self.alive(), self._process.stderr.read()
            time.sleep(0.01)

    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> int:
        """Kill -9; return the last number that it said was recorded, or -1."""
        self._process.kill()
        self._process.communicate()
        # the last line may be torn: only those with their newline were surely said
        return max(map(int, self._said.read_text().split("\n")[1:-1]), default=-1)


@pytest.mark.parametrize("seed", range(4))
def test_what_was_recorded_survives_kill_9_again_and_again(tmp_path, seed):
    draw = random.Random(seed)
    begin(tmp_path).close()
    said = -1
    for _ in range(6):
        writer = Writer(tmp_path, "r1")
        time.sleep(draw.uniform(0.0, 0.4))
        said = max(said, writer.kill())
        record = read_run(tmp_path, "r1")
        found = [trial.number for trial in record.studies["k1"].trials]
        assert record.problems == ()
        assert found == list(range(len(found)))
        # at most the trial in whose recording it was killed is there without having been said
        assert said <= len(found) - 1 <= said + 1
        assert record.info.status == "interrupted"
    frame = query("SELECT number, objective FROM trials ORDER BY number", tmp_path)
    assert list(frame["number"]) == found
    assert list(frame["objective"]) == [1.0 + number for number in found]
    rebuild(tmp_path)
    assert len(query("FROM samples", tmp_path)) == len(found)
    assert query("SELECT status FROM runs", tmp_path)["status"].tolist() == ["interrupted"]


def test_a_live_run_is_not_given_to_a_second_writer(tmp_path):
    begin(tmp_path).close()
    writer = Writer(tmp_path, "r1")
    try:
        with pytest.raises(StoreError, match=f"written by process {writer.pid}"):
            RunWriter.resume(tmp_path, "r1")
        assert find_runs(tmp_path)[0].live
    finally:
        writer.kill()
    RunWriter.resume(tmp_path, "r1").close()


def test_two_runs_and_a_reader_at_once_lose_nothing(tmp_path):
    for run_id in ("r1", "r2"):
        begin(tmp_path, run_id, f"{run_id}/s1").close()
    writers = [Writer(tmp_path, run_id, small=False) for run_id in ("r1", "r2")]
    try:
        seen = 0
        for _ in range(5):  # readers see only ever more, and stop nobody
            count = len(query("FROM trials", tmp_path))
            assert count >= seen
            seen = count
        assert all(writer.alive() for writer in writers)
    finally:
        said = [writer.kill() for writer in writers]
    counts = [len(read_run(tmp_path, run).studies["k1"].trials) for run in ("r1", "r2")]
    assert all(0 <= n - 1 - s <= 1 for n, s in zip(counts, said, strict=True))
    frame = query("SELECT study_id, count(*) AS n FROM trials GROUP BY 1 ORDER BY 1", tmp_path)
    assert frame["n"].tolist() == counts


def test_several_threads_record_into_one_run(tmp_path):
    with begin(tmp_path) as writer:
        threads = [
            threading.Thread(
                target=lambda t=t: [
                    writer.trial(STUDY.study_id, make_trial(100 * t + i)) for i in range(100)
                ]
            )
            for t in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    record = read_run(tmp_path, "r1")
    assert record.problems == ()
    assert sorted(trial.number for trial in record.studies["k1"].trials) == list(range(400))


def test_a_limit_on_file_sizes_cuts_off_the_partial_record(tmp_path):
    with begin(tmp_path) as writer:
        writer.trial(STUDY.study_id, make_trial(0))
        path = tmp_path / "spool/r1/segment-000001.jsonl"
        size = path.stat().st_size
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        for room in (0, 1, 50):  # a write that takes nothing, and ones that take a part
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, limits[1]))
            try:
                with pytest.raises(StoreError, match="limit on file sizes"):
                    writer.trial(STUDY.study_id, make_trial(1))
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            assert path.stat().st_size == size
        writer.trial(STUDY.study_id, make_trial(2))
    record = read_run(tmp_path, "r1")
    assert record.problems == ()
    assert [trial.number for trial in record.studies["k1"].trials] == [0, 2]


@pytest.fixture
def mounted(tmp_path):
    """A function that mounts something on a folder, or skips; undone afterwards."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting needs root")
    done = []

    def mount(*arguments: str, at: Path) -> None:
        at.mkdir(exist_ok=True)
        command = ["mount", *arguments, str(at)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this system forbids mounting")
        done.append(at)

    yield mount
    for folder in reversed(done):
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_says_so_and_recording_goes_on_when_there_is_room(tmp_path, mounted):
    results = tmp_path / "small"
    mounted("-t", "tmpfs", "-o", "size=300k", "tmpfs", at=results)
    writer = begin(results)
    ballast = results / "ballast"
    ballast.write_bytes(b"x" * 150_000)
    recorded = []

    def record_on() -> None:
        for number in range(10_000):
            writer.trial(STUDY.study_id, make_trial(number))
            recorded.append(number)

    with pytest.raises(StoreError, match=r"disk is full; everything recorded earlier is kept"):
        record_on()
    number = len(recorded)
    assert number > 10
    record = read_run(results, "r1")
    assert record.problems == ()
    assert [t.number for t in record.studies["k1"].trials] == list(range(number))
    with pytest.raises(StoreError, match="disk is full"):  # nor does a new run fit in
        record_run(results, "new", trials=100)
    with pytest.raises(StoreError, match="disk is full"):
        ingest(results)
    assert len(query("SELECT * FROM trials WHERE study_id = 'r1/s1'", results)) == number
    ballast.unlink()
    writer.trial(STUDY.study_id, make_trial(number))
    writer.close()
    assert len(read_run(results, "r1").studies["k1"].trials) == number + 1


def test_a_full_disk_while_sealing_keeps_the_lines(tmp_path, mounted):
    results = tmp_path / "small"
    mounted("-t", "tmpfs", "-o", "size=200k", "tmpfs", at=results)
    writer = begin(results)
    for number in range(100):
        writer.trial(STUDY.study_id, make_trial(number))
    free = shutil.disk_usage(results).free
    (results / "ballast").write_bytes(b"x" * (free - 8192))
    writer.finish("finished")
    writer.close()
    (folder,) = (results / "spool").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["lock", "segment-000001.jsonl"]
    assert read_run(results, "r1").info.status == "finished"
    assert len(query("FROM trials", results)) == 100
    (results / "ballast").unlink()
    with RunWriter.resume(results, "r1") as writer:
        writer.finish("finished")
    assert not list(folder.glob("*.jsonl"))
    assert len(read_run(results, "r1").studies["k1"].trials) == 100


def test_a_read_only_folder_refuses_runs_but_answers_questions(tmp_path, mounted):
    source, results = tmp_path / "source", tmp_path / "read-only"
    record_run(source)
    ingest(source)
    record_run(source, "r2", status=None)  # newer than the index
    mounted("--bind", str(source), at=results)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(results)], check=True)
    with pytest.raises(StoreError, match=r"cannot be written: read-only[\s\S]*--results DIR"):
        begin(results, "r3")
    with pytest.raises(StoreError, match="cannot be written"):
        RunWriter.resume(results, "r1")
    with pytest.raises(StoreError, match="cannot be written"):
        ingest(results)
    with pytest.raises(StoreError, match="cannot be written"):
        rebuild(results)
    assert len(query("FROM trials", results)) == 6
    assert len(read_run(results, "r1").studies["k1"].trials) == 3


def test_a_sealed_segment_damaged_in_the_middle_stops_no_other_run(tmp_path):
    record_run(tmp_path, "run-1")
    record_run(tmp_path, "run-2")
    (segment,) = (tmp_path / "spool" / "run-1").glob("segment-*.parquet")
    data = bytearray(segment.read_bytes())
    data[4:400] = b"\xff" * 396  # the footer, by which a file is opened, stays whole
    segment.write_bytes(bytes(data))
    assert [run.run_id for run in find_runs(tmp_path)] == ["run-2"]
    with pytest.raises(StoreError, match=f"{segment.name}: the sealed segment is damaged"):
        read_run(tmp_path, "run-1")


def test_a_sealed_segment_damaged_in_the_middle_leaves_the_others_to_be_asked(tmp_path):
    record_run(tmp_path, "run-1")
    record_run(tmp_path, "run-2")
    (segment,) = (tmp_path / "spool" / "run-1").glob("segment-*.parquet")
    data = bytearray(segment.read_bytes())
    data[4:400] = b"\xff" * 396
    segment.write_bytes(bytes(data))
    report = ingest(tmp_path)
    assert any("the sealed segment is damaged" in problem for problem in report.problems)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = query("SELECT DISTINCT run_id FROM studies", tmp_path)
    assert list(found["run_id"]) == ["run-2"]
