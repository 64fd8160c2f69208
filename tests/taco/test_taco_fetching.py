"""The cache of fetched matrices and tensors, against a server on this machine."""

from __future__ import annotations

import gzip
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from daybreak import RequirementError, UserError
from daybreak_taco.data import load_matrix, load_tensor
from daybreak_taco.data.__main__ import main
from daybreak_taco.data.fetching import cached, data_folder, fetch, place, url_of

MATRIX = b"%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 3\n2 2 4\n"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "server"
    (folder / "Hamm").mkdir(parents=True)
    (folder / "nips").mkdir()
    with tarfile.open(folder / "Hamm" / "scircuit.tar.gz", "w:gz") as packed:
        for name, content in (("scircuit/scircuit_b.mtx", b"x"), ("scircuit/scircuit.mtx", MATRIX)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    (folder / "nips" / "nips.tns.gz").write_bytes(gzip.compress(b"1 1 1 1 5\n2 1 1 1 6\n"))
    return folder


@pytest.fixture
def server(files: Path) -> Iterator[str]:
    handler = partial(Quiet, directory=str(files))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_address[1]}"
        made.shutdown()


def quiet(fraction: float | None, what: str) -> None:
    pass


def test_what_is_not_cached_names_the_command_and_the_file(cache: Path) -> None:
    with pytest.raises(RequirementError) as caught:
        load_matrix("suitesparse:cage12")
    assert "fetch suitesparse:cage12" in str(caught.value)
    assert str(place("suitesparse", "cage12")) in str(caught.value)


def test_fetched_matrices_and_tensors_load(cache: Path, server: str) -> None:
    fetch("suitesparse", "scircuit", quiet, server=server)
    assert load_matrix("suitesparse:scircuit").toarray().tolist() == [[3, 0], [0, 4]]
    fetch("frostt", "nips", quiet, server=server)
    assert load_tensor("frostt:nips", order=4).values.tolist() == [5.0, 6.0]
    known = json.loads((data_folder() / "checksums.json").read_text())
    assert set(known) == {"scircuit.mtx.gz", "nips.tns.gz"}
    assert not list(data_folder().rglob("*.partial"))


def test_a_changed_file_is_refused_and_the_old_one_stays(
    cache: Path, server: str, files: Path
) -> None:
    path = fetch("frostt", "nips", quiet, server=server)
    before = path.read_bytes()
    (files / "nips" / "nips.tns.gz").write_bytes(gzip.compress(b"1 1 1 1 7\n"))
    with pytest.raises(RequirementError, match="not what was fetched the first time"):
        fetch("frostt", "nips", quiet, server=server)
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["missing", "no archive", "other content"])
def test_failed_fetches_say_where_to_put_the_file(
    cache: Path, server: str, files: Path, damage: str
) -> None:
    path = files / "Hamm" / "scircuit.tar.gz"
    if damage == "missing":
        path.unlink()
    elif damage == "no archive":
        path.write_bytes(b"<html>")
    else:
        with tarfile.open(path, "w:gz"):
            pass
    with pytest.raises(RequirementError, match="or put the file at"):
        fetch("suitesparse", "scircuit", quiet, server=server)
    assert not place("suitesparse", "scircuit").exists()
    assert not list(data_folder().rglob("*.partial"))


def test_offline_is_a_requirement_error(cache: Path) -> None:
    with pytest.raises(RequirementError, match="could not be fetched"):
        fetch("frostt", "nips", quiet, server="http://127.0.0.1:9")


def test_unpacked_files_are_taken(cache: Path) -> None:
    path = place("suitesparse", "SNAP/email-Enron").with_suffix("")
    path.parent.mkdir(parents=True)
    path.write_bytes(MATRIX)
    assert cached("suitesparse", "SNAP/email-Enron") == path
    assert load_matrix("suitesparse:email-Enron").nnz == 2


def test_addresses_are_built_from_the_group() -> None:
    assert url_of("suitesparse", "cage12").endswith("/MM/vanHeukelum/cage12.tar.gz")
    assert url_of("suitesparse", "Any/thing").endswith("/MM/Any/thing.tar.gz")
    with pytest.raises(UserError, match="did you mean: cage12"):
        url_of("suitesparse", "cage11")
    with pytest.raises(UserError, match="put the file at"):
        url_of("frostt", "enron")


def test_the_command(cache: Path, server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "frostt:nips", "suitesparse:scircuit", "--server", server]) == 0
    assert str(place("frostt", "nips")) in capsys.readouterr().out
    assert main(["list"]) == 0
    assert "frostt:nips  (cached)" in capsys.readouterr().out
    assert main(["fetch", "pyamg:airfoil"]) == 2
    assert "needs no fetching" in capsys.readouterr().err
    assert main(["fetch", "suitesparse:cage11"]) == 2
    assert "did you mean: cage12" in capsys.readouterr().err
