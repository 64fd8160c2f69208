"""Image data sets with fixed splits: what is in installed packages, and what is fetched beforehand.

``python -m daybreak_train.data list`` shows what there is, ``... fetch NAME`` fetches. Nothing is
fetched during a run, and nothing of the data is part of Daybreak.
"""

from __future__ import annotations

from daybreak_train.data.catalogue import DATA_SETS, DataFile, DataSet, data_set
from daybreak_train.data.images import ImageData, Split, load_images

__all__ = ["DATA_SETS", "DataFile", "DataSet", "ImageData", "Split", "data_set", "load_images"]
