"""Puts TACO's loop pragmas, which are Clang's, into words that GCC obeys.

GCC ignores ``#pragma unroll N``; its own is ``#pragma GCC unroll N``. Clang's vectorisation hint
becomes OpenMP's ``simd``, which unlike the hint promises that the iterations are independent. That
promise is made only where it holds: where the kernel says that the loop runs over an index of the
result, or where all that the loop carries on is a scalar sum, which is then named as a reduction.
Elsewhere the hint is dropped, and GCC vectorises at -O3 what it can prove to be right.

GCC moves the body of a parallel loop into a function of its own and forgets there that a loop was
to be unrolled, unless the whole loop disappears. `UNROLL_FLAGS` start the unrolling pass all the
same, for loops with the pragma only.
"""

from __future__ import annotations

import re

__all__ = ["UNROLL_FLAGS", "for_gcc", "unroll_loop"]

#: flags with which GCC unrolls loops with the pragma, and no others
UNROLL_FLAGS = ("-funroll-loops", "--param=max-unroll-times=1")

_UNROLL = re.compile(r"^([ \t]*)#pragma unroll (\d+)$", re.MULTILINE)
_VECTOR = re.compile(r"^([ \t]*)#pragma clang loop [^\n]*\n", re.MULTILINE)
_SUM = re.compile(r"^[ \t]*(\w+) \+= ", re.MULTILINE)
_STORE = re.compile(r"^[ \t]*\w+\[", re.MULTILINE)
_WHILE = re.compile(r"^[ \t]*while \(", re.MULTILINE)


def for_gcc(text: str, *, independent: bool) -> str:
    """Return emitted C text with GCC's pragmas.

    Args:
        text: what TACO emitted.
        independent: the iterations of the vectorised loop write different elements of the result.
    """
    text = _UNROLL.sub(r"\1#pragma GCC unroll \2", text)
    pieces: list[str] = []
    done = 0
    for hint in _VECTOR.finditer(text):
        pieces.append(text[done : hint.start()])
        pragma = _simd(text[hint.end() :], independent)
        if pragma:
            pieces.append(f"{hint.group(1)}{pragma}\n")
        done = hint.end()
    pieces.append(text[done:])
    return "".join(pieces)


def _simd(rest: str, independent: bool) -> str | None:
    """Return the pragma for the loop at the beginning of `rest`, or None."""
    body = _body(rest)
    if _WHILE.search(body):
        return None
    carried = sorted(
        {name for name in _SUM.findall(body) if not re.search(rf"\bdouble {name} = ", body)}
    )
    if carried and not _STORE.search(body):
        return f"#pragma omp simd reduction(+:{','.join(carried)})"
    return "#pragma omp simd" if independent and not carried else None


def _body(rest: str) -> str:
    """Return the text of the loop that `rest` begins with, up to its closing brace."""
    depth = 0
    for place, character in enumerate(rest):
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return rest[:place]
    return rest


def unroll_loop(text: str, variable: str, factor: int) -> str:
    """Return the C text with an unroll pragma in front of every loop over `variable`."""
    loop = re.compile(rf"^([ \t]*)(for \(int32_t {re.escape(variable)} = )", re.MULTILINE)
    return loop.sub(rf"\1#pragma unroll {factor}\n\1\2", text)
