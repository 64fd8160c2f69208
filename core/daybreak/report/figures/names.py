"""Names of benchmarks and labels in figures: whatever users call things, the figure stays sound."""

from __future__ import annotations

import re

__all__ = ["LONGEST", "drawn_name"]

#: letters of a name in a legend or a title
LONGEST = 38

# what XML 1.0 does not allow, and what turns the writing direction of what follows
_UNSOUND = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]"
)


def drawn_name(name: str, longest: int = LONGEST) -> str:
    """Return a name on one line, at most `longest` letters, that any figure can show.

    Letters that SVG does not allow become a mark; the middle of a long name an ellipsis, since
    long names often differ at their end.
    """
    text = " ".join(_UNSOUND.sub("\ufffd", name).split())
    if len(text) > longest:
        head = (longest - 1) * 3 // 5
        text = f"{text[:head]}…{text[len(text) - (longest - 1 - head) :]}"
    # matplotlib keeps labels that begin so out of legends
    return "\u200b" + text if text.startswith("_") else text
