"""Windows that move on: `rotateValues` keeps k values in private memory, one of them new each turn.

The loop that reads the windows in order is found when the first one is asked for: its index is
that loop's counter. In front of the loop k - 1 values are computed; at the top of a turn comes the
last of the window, at its end all move one place down. After `OpenCLSlideSeq` and
`OpenCLRotateValues` of Shine (Hagedorn et al., "High Performance Stencil Code Generation with
Lift", CGO 2018, section 5.2, keeps planes in registers in the same way).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybreak import BuildFailed
from daybreak_rise.codegen.arguments import Argument
from daybreak_rise.codegen.index import Index, constant
from daybreak_rise.codegen.moves import types_of
from daybreak_rise.codegen.storage import allocate
from daybreak_rise.codegen.turns import Turns
from daybreak_rise.codegen.views import ArrayView, View, as_array
from daybreak_rise.expr import Primitive
from daybreak_rise.types import AddressSpace, ArrayType

if TYPE_CHECKING:
    from daybreak_rise.codegen.translate import Translator

__all__ = ["rotated"]


def rotated(
    translator: Translator, head: Primitive, arguments: tuple[Argument, ...], out: View | None
) -> View:
    """Return the view of the windows; what reads one makes the loop around it keep them."""
    del out  # a handler may return what is to be written
    _, result = types_of(head)
    source = translator.array(arguments[1])
    windows = _Windows(translator, arguments[0], source, result.element)
    return ArrayView(result.size, windows.at)


class _Windows:
    """The windows of one `rotateValues`.

    Attributes:
        size: values in a window.
        kept: for each loop, and where its first window begins, the place of the window.
    """

    def __init__(
        self,
        translator: Translator,
        function: Argument,
        source: ArrayView,
        type_: ArrayType,
    ) -> None:
        self.translator = translator
        self.function = function
        self.source = source
        self.type = type_
        self.size = int(type_.size)  # type: ignore[arg-type]
        self.outside = tuple(translator.turns)
        self.kept: dict[tuple[int, int], tuple[Turns, ArrayView]] = {}

    def at(self, index: Index) -> View:
        """Return the window that begins at `index`.

        Raises:
            BuildFailed: no loop reads the windows one after the other.
        """
        if index.known:
            return self._alone(index)
        turns = self._loop(index)
        key = (id(turns), index.rest)
        if key not in self.kept:
            self.kept[key] = turns, self._begin(turns, index)
        return self.kept[key][1]

    def _loop(self, index: Index) -> Turns:
        """Return the loop whose counter `index` is, up to a constant."""
        match index.terms:
            case ((variable, 1),):
                for turns in self.translator.turns:
                    if turns.variable is variable and turns not in self.outside:
                        return turns
        raise BuildFailed(
            f"the windows of rotateValues({self.size}) are not read one after the other: only a "
            "sequential loop over them keeps their values"
        )

    def _alone(self, index: Index) -> View:
        """Return a window by itself, all of it computed here."""
        place = self._place()
        self.translator.loop(self.size, lambda j: self._compute(index + j, place.at(j)))
        return place

    def _begin(self, turns: Turns, index: Index) -> ArrayView:
        """Return the place of the windows of a loop, which is made to keep them there."""
        first, last = constant(index.rest), self.size - 1
        with self.translator.before(turns):
            place = self._place()
            if last:
                self.translator.loop(last, lambda j: self._compute(first + j, place.at(j)))
        with self.translator.within(turns, turns.top):
            self._compute(index + last, place.at(constant(last)))
        if last:
            with self.translator.within(turns, turns.end):
                self.translator.loop(last, lambda j: self._move(place.at(j + 1), place.at(j)))
        return place

    def _place(self) -> ArrayView:
        return as_array(allocate(self.translator, self.type, AddressSpace.PRIVATE))

    def _compute(self, index: Index, place: View) -> None:
        with self.translator.fill():
            self.translator.call(self.function, (self.source.at(index),), place)

    def _move(self, value: View, place: View) -> None:
        with self.translator.fill():
            self.translator.write(value, place)
