"""Fetching image data, against a server on this machine that cuts, lies and forgets."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from daybreak import Installable, RequirementError, UserError
from daybreak_train.data import data_set
from daybreak_train.data.__main__ import main
from daybreak_train.data.catalogue import DataFile, DataSet
from daybreak_train.data.fetching import fetch
from daybreak_train.data.places import cache_folder, find
from daybreak_train.target import TrainTarget

FILES = {"one.gz": bytes(range(256)) * 2048, "two.gz": b"second file"}


class Server(http.server.ThreadingHTTPServer):
    """Serves `content`; `seen` holds (path, Range header) of every request.

    `cut`: send only so many bytes of a body and hang up. `ranges`: answer Range requests; "wrong"
    sends another part than was asked for.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = dict(FILES)
        self.seen: list[tuple[str, str | None]] = []
        self.cut: int | None = None
        self.ranges: bool | str = True
        self.length = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/data/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of readers that go away."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.seen.append((self.path, wanted))
        body = self.server.content.get(self.path.removeprefix("/data/"))
        if body is None:
            self.send_error(404)
            return
        start, whole = 0, len(body)
        if wanted and self.server.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= whole:
                self.send_error(416)
                return
            if self.server.ranges == "wrong":
                start += 7
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        else:
            self.send_response(200)
        body = body[start:]
        if self.server.length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cut])


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataSet:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return DataSet(
        "pictures", "", "", (1, 1, 1), 2, (1, 1, 1), 0.5, "", "", server="http://127.0.0.1:9",
        files=tuple(
            DataFile(name, hashlib.sha256(body).hexdigest(), len(body))
            for name, body in FILES.items()
        ),
    )  # fmt: skip


def quiet(fraction: float | None, what: str) -> None:
    pass


def partials() -> list[str]:
    return sorted(path.name for path in cache_folder().rglob("*.partial"))


def test_what_is_fetched_is_found(data: DataSet, server: Server) -> None:
    said: list[tuple[float | None, str]] = []
    folder = fetch(data, lambda share, what: said.append((share, what)), server=server.url)
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert find(data) == folder
    assert partials() == []
    shares = [share for share, _ in said if share is not None]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert any(what == "fetching one.gz" for _, what in said)


def test_what_is_there_is_not_fetched_again(data: DataSet, server: Server) -> None:
    folder = fetch(data, quiet, server=server.url)
    (folder / "two.gz").write_bytes(b"damaged")
    server.seen.clear()
    fetch(data, quiet, server=server.url)
    assert [path for path, _ in server.seen] == ["/data/two.gz"]
    assert (folder / "two.gz").read_bytes() == FILES["two.gz"]
    server.seen.clear()
    fetch(data, quiet, server=server.url, force=True)
    assert len(server.seen) == 2


@pytest.mark.parametrize("length", [True, False])
def test_a_cut_transfer_goes_on_where_it_ended(data: DataSet, server: Server, length: bool) -> None:
    server.cut, server.length = 100_000, length
    with pytest.raises(RequirementError) as caught:
        fetch(data, quiet, server=server.url)
    if length:
        assert "was cut after 100000 of 524288 bytes" in str(caught.value)
        assert "what has arrived is kept" in str(caught.value)
        assert partials() == ["one.gz.partial"]
        server.cut = None
        folder = fetch(data, quiet, server=server.url)
        assert ("/data/one.gz", "bytes=100000-") in server.seen
        assert (folder / "one.gz").read_bytes() == FILES["one.gz"]
    else:
        # nobody said how long it is: the checksum tells
        assert "is not the file that was published: 100000 bytes" in str(caught.value)
    assert partials() == []


def test_a_server_without_ranges_sends_all_of_it(data: DataSet, server: Server) -> None:
    server.cut = 1000
    with pytest.raises(RequirementError):
        fetch(data, quiet, server=server.url)
    server.cut, server.ranges = None, False
    folder = fetch(data, quiet, server=server.url)
    assert (folder / "one.gz").read_bytes() == FILES["one.gz"]


def test_another_part_than_was_asked_for_is_refused(data: DataSet, server: Server) -> None:
    server.cut = 1000
    with pytest.raises(RequirementError):
        fetch(data, quiet, server=server.url)
    server.cut, server.ranges = None, "wrong"
    with pytest.raises(RequirementError, match="another part than was asked for"):
        fetch(data, quiet, server=server.url)


def test_a_beginning_of_another_version_is_fetched_anew(data: DataSet, server: Server) -> None:
    folder = cache_folder() / data.name
    folder.mkdir(parents=True)
    (folder / "one.gz.partial").write_bytes(b"x" * 5000)
    fetch(data, quiet, server=server.url)
    assert (folder / "one.gz").read_bytes() == FILES["one.gz"]
    assert [wanted for path, wanted in server.seen if path == "/data/one.gz"] == [
        "bytes=5000-",
        None,
    ]


@pytest.mark.parametrize("extra", [0, 1, 10_000])
def test_a_partial_file_that_is_as_long_as_the_whole(
    data: DataSet, server: Server, extra: int
) -> None:
    folder = cache_folder() / data.name
    folder.mkdir(parents=True)
    (folder / "one.gz.partial").write_bytes(FILES["one.gz"] + b"x" * extra)
    fetch(data, quiet, server=server.url)
    assert (folder / "one.gz").read_bytes() == FILES["one.gz"]
    assert ("/data/one.gz" in [path for path, _ in server.seen]) == (extra > 0)


def test_a_range_beyond_the_end_starts_anew(data: DataSet, server: Server) -> None:
    # the server has less than we have already: ours was of another file
    folder = cache_folder() / data.name
    folder.mkdir(parents=True)
    (folder / "one.gz.partial").write_bytes(b"x" * 5000)
    server.content["one.gz"] = b"short"
    with pytest.raises(RequirementError, match="not the file that was published: 5 bytes"):
        fetch(data, quiet, server=server.url)
    assert not (folder / "one.gz").exists()


@pytest.mark.parametrize(
    "body", [b"<html>moved</html>", FILES["one.gz"] + b"more", FILES["one.gz"][:-1] + b"?"]
)
def test_another_file_is_refused_with_both_checksums(
    data: DataSet, server: Server, body: bytes
) -> None:
    server.content["one.gz"] = body
    with pytest.raises(RequirementError) as caught:
        fetch(data, quiet, server=server.url)
    assert data.files[0].sha256 in str(caught.value)
    assert "--server" in str(caught.value)
    assert not (cache_folder() / data.name / "one.gz").exists()
    assert partials() == []


def test_an_endless_answer_is_not_kept(data: DataSet, server: Server) -> None:
    server.content["two.gz"] = b"y" * (8 << 20)
    with pytest.raises(RequirementError, match="not the file that was published"):
        fetch(data, quiet, server=server.url)
    assert partials() == []


def test_errors_of_the_server_are_said(data: DataSet, server: Server) -> None:
    del server.content["two.gz"]
    with pytest.raises(RequirementError, match="answers 404"):
        fetch(data, quiet, server=server.url)
    # what came before it stays
    assert (cache_folder() / data.name / "one.gz").exists()
    with pytest.raises(RequirementError, match="could not be fetched"):
        fetch(data, quiet)
    for address in ("file:///etc", "ftp://127.0.0.1/x", "nonsense"):
        with pytest.raises(RequirementError, match="could not be fetched"):
            fetch(data, quiet, server=address)


def test_a_second_fetch_waits_for_the_first(data: DataSet, server: Server) -> None:
    import fcntl

    folder = cache_folder() / data.name
    folder.mkdir(parents=True)
    waiting = threading.Event()

    def tell(share: float | None, what: str) -> None:
        if "waiting for another fetch" in what:
            waiting.set()

    with (folder / "lock").open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        other = threading.Thread(target=fetch, args=(data, tell), kwargs={"server": server.url})
        other.start()
        assert waiting.wait(10)
        assert server.seen == []
    other.join(10)
    assert (folder / "two.gz").read_bytes() == FILES["two.gz"]


def test_what_comes_with_a_package_needs_no_fetching() -> None:
    with pytest.raises(UserError, match="comes with scikit-learn"):
        fetch(data_set("digits"), quiet)


def test_setting_the_target_up_fetches_what_is_absent(
    data: DataSet, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = replace(data, server=server.url)
    known = {"digits": data_set("digits"), "pictures": served}
    monkeypatch.setattr("daybreak_train.data.fetching.DATA_SETS", known)
    target = TrainTarget()
    assert isinstance(target, Installable)
    said = target.setup(quiet)
    assert said == f"pictures: {cache_folder() / 'pictures'}"
    assert len(server.seen) == 2
    assert target.setup(quiet) == said
    assert len(server.seen) == 2
    target.setup(quiet, force=True)
    assert len(server.seen) == 4
    del server.content["one.gz"]
    with pytest.raises(RequirementError, match="answers 404"):
        target.setup(quiet, force=True)


def test_the_command_says_what_is_wrong(
    data: DataSet, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", "digits"]) == 2
    assert "needs no fetching" in capsys.readouterr().err
    assert main(["fetch", "fashion-mnits"]) == 2
    assert "did you mean: fashion-mnist" in capsys.readouterr().err
    assert main(["fetch", "fashion-mnist", "--server", server.url]) == 2
    assert "answers 404" in capsys.readouterr().err
