"""What an importer finds on its way: rows kept and left out, and what was odd, by file and line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from daybreak import ImportReport, Remark
from daybreak_importers.text import printable

__all__ = ["Findings"]

#: Remarks of one kind about one file; more are summed up in one, so that a file of a million torn
#: lines does not fill the memory.
_MOST_PER_FILE = 40


class Findings:
    """Collects numbers and remarks while files are read."""

    def __init__(self) -> None:
        self.rows = 0
        self.kept = 0
        self.left_out: Counter[str] = Counter()
        self._notes: dict[str, None] = {}
        self._remarks: list[Remark] = []
        self._by_file: dict[str, list[Remark]] = {}
        self._seen: Counter[tuple[str, str]] = Counter()

    def keep(self, rows: int = 1) -> None:
        """Count rows that are kept, doubtful ones too."""
        self.rows += rows
        self.kept += rows

    def retract(self, rows: int) -> None:
        """Take back that rows were kept: what they are part of is of no use after all."""
        self.rows -= rows
        self.kept -= rows

    def leave_out(
        self, file: str, reason: str, detail: str = "", *, line: int | None = None
    ) -> None:
        """Count a row that is left out, and say why: `reason` is the same for all of its kind."""
        self.rows += 1
        self.left_out[reason] += 1
        self.remark(file, f"{reason}: {detail}" if detail else reason, line=line)

    def remark(self, file: str, what: str, *, line: int | None = None) -> None:
        """Say that something is odd and what was made of it."""
        key = file, what.partition(":")[0]
        self._seen[key] += 1
        if self._seen[key] <= _MOST_PER_FILE:
            remark = Remark(file, line, printable(what))
            self._remarks.append(remark)
            self._by_file.setdefault(file, []).append(remark)

    def note(self, sentence: str) -> None:
        """Tell the reader something once, e.g. an assumption."""
        self._notes[sentence] = None

    def about(self, file: str) -> list[str]:
        """Return what was said about a file, for the details of its study."""
        return [
            remark.what if remark.line is None else f"line {remark.line}: {remark.what}"
            for remark in self._by_file.get(file, ())
        ]

    @property
    def remarks(self) -> list[Remark]:
        """All remarks; where too many of one kind were made about a file, one more says how many."""
        more = [
            Remark(file, None, f"{kind}: and {count - _MOST_PER_FILE} more in this file")
            for (file, kind), count in self._seen.items()
            if count > _MOST_PER_FILE
        ]
        return [*self._remarks, *more]

    def report(self, notes: Iterable[str] = ()) -> ImportReport:
        """Return the numbers as they are now."""
        return ImportReport(
            rows=self.rows,
            kept=self.kept,
            left_out=dict(self.left_out),
            notes=(*self._notes, *notes),
            remarks=self.remarks,
        )
