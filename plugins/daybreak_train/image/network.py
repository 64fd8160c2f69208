"""The network: its layers, their parameters in one flat vector, and its arithmetic.

Every back end trains the same network from the same initial values. Convolutions are 3 x 3, padded
with zeros, and end in max(0, .); pools take the largest of 2 x 2.

=====================  ==========================================================================
images up to 16 x 16   convolution (w), convolution (2 w), pool, dense
larger ones            convolution (w), pool, convolution (2 w), pool, dense
=====================  ==========================================================================
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Block", "Network"]

_SMALL = 16


@dataclass(frozen=True, slots=True)
class Block:
    """A convolution from `inputs` to `outputs` channels on images of `side`, and its pool."""

    inputs: int
    outputs: int
    side: int
    pool: bool

    @property
    def after(self) -> int:
        """Side of what leaves the block."""
        return self.side // 2 if self.pool else self.side


@dataclass(frozen=True)
class Network:
    """The network of one width for images of one shape.

    Attributes:
        shape: channels, height and width of an image; height and width are equal.
        classes: number of classes.
        width: channels of the first convolution.
        blocks: the convolutions.
        features: inputs of the dense layer.
        places: for each parameter its name, shape and part of the flat vector. Weights of a
            convolution have the shape (outputs, inputs, 3, 3), of the dense layer (classes,
            features), features ordered by channel, row, column: PyTorch's orders.
        size: number of parameters.
    """

    shape: tuple[int, int, int]
    classes: int
    width: int
    blocks: tuple[Block, ...] = field(init=False)
    features: int = field(init=False)
    places: dict[str, tuple[tuple[int, ...], slice]] = field(init=False)
    size: int = field(init=False)

    def __post_init__(self) -> None:
        """Lay the parameters out."""
        channels, side, width = self.shape
        small = side <= _SMALL
        if side != width or side % (2 if small else 4):
            raise ValueError(
                f"images of {side} x {width} are not square, or pools do not divide them"
            )
        first = Block(channels, self.width, side, pool=not small)
        second = Block(self.width, 2 * self.width, first.after, pool=True)
        features = second.outputs * second.after**2
        places: dict[str, tuple[tuple[int, ...], slice]] = {}
        at = 0
        shapes: list[tuple[str, tuple[int, ...]]] = []
        for number, block in enumerate((first, second)):
            shapes.append((f"conv{number}.weight", (block.outputs, block.inputs, 3, 3)))
            shapes.append((f"conv{number}.bias", (block.outputs,)))
        shapes += [("dense.weight", (self.classes, features)), ("dense.bias", (self.classes,))]
        for name, shape in shapes:
            places[name] = shape, slice(at, at + math.prod(shape))
            at += math.prod(shape)
        for name, value in (
            ("blocks", (first, second)),
            ("features", features),
            ("places", places),
            ("size", at),
        ):
            object.__setattr__(self, name, value)

    def views(self, flat: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
        """Return the parameters by name as views into the flat vector `flat`, shape (size,)."""
        return {name: flat[part].reshape(shape) for name, (shape, part) in self.places.items()}

    def initial(self, generator: np.random.Generator) -> NDArray[np.float32]:
        """Draw initial parameters, shape (size,).

        Weights of convolutions are normal with variance 2 / inputs (He et al., "Delving deep into
        rectifiers", 2015, eq. 10), those of the dense layer with variance 1 / inputs; biases are 0.
        """
        flat = np.zeros(self.size, np.float32)
        for name, view in self.views(flat).items():
            if name.endswith(".weight"):
                gain = 1.0 if name.startswith("dense") else 2.0
                deviation = math.sqrt(gain / math.prod(view.shape[1:]))
                view[...] = deviation * generator.standard_normal(view.shape, np.float32)
        return flat

    @property
    def flops(self) -> int:
        """Floating-point operations of one image forwards (a multiplication and addition are two).

        Products of matrices only: all that is counted by those who state such numbers.
        """
        return sum(map(_convolution_flops, self.blocks)) + 2 * self.classes * self.features

    @property
    def training_flops(self) -> int:
        """Operations of one image in a step: forwards, to the weights, and to the inputs.

        The gradient of the images themselves is not calculated.
        """
        return 3 * self.flops - _convolution_flops(self.blocks[0])


def _convolution_flops(block: Block) -> int:
    return 2 * block.outputs * block.inputs * 9 * block.side**2
