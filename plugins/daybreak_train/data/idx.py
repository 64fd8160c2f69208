"""The IDX format of MNIST and its successors.

Big-endian: two zero bytes, the element type (8: unsigned byte), the number of dimensions, each
dimension as 32 bits, then the elements (http://yann.lecun.com/exdb/mnist, "the IDX file format").
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daybreak import UserError

__all__ = ["read_idx"]

_UNSIGNED_BYTE = 8


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the array of unsigned bytes in `path`, packed with gzip or not.

    Raises:
        UserError: it cannot be read, is cut short, has bytes too many, or holds something else.
    """
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(
            f"cannot be read: {error}", file=path, expected="a whole IDX file"
        ) from None
    if len(raw) < 4 or raw[:2] != b"\0\0":
        raise UserError("is no IDX file", file=path, expected="two zero bytes at its beginning")
    kind, dimensions = raw[2], raw[3]
    if kind != _UNSIGNED_BYTE or not 1 <= dimensions <= 4:
        raise UserError(
            f"holds elements of type {kind} in {dimensions} dimensions",
            file=path,
            expected=f"unsigned bytes (type {_UNSIGNED_BYTE}) in one to four dimensions",
        )
    head = 4 + 4 * dimensions
    if len(raw) < head:
        raise UserError("ends within its header", file=path, expected=f"{head} bytes at least")
    shape = struct.unpack(f">{dimensions}I", raw[4:head])
    wanted = math.prod(shape)
    if len(raw) - head != wanted:
        raise UserError(
            f"holds {len(raw) - head} elements",
            file=path,
            expected=" x ".join(map(str, shape)) + f" = {wanted}, as its header says",
        )
    return np.frombuffer(raw, np.uint8, offset=head).reshape(shape)
