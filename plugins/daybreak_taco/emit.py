"""Runs the `taco` compiler as a process and makes a C library out of what it writes.

TACO refuses a schedule by aborting, so it never runs inside the worker. Of the functions that it
writes only the compute kernel is kept: the others would be compiled for nothing, and arrays are
assembled and packed outside the timed region anyway.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from daybreak import BuildFailed
from daybreak_taco.schedule import Schedule

__all__ = ["ENTRY", "command_line", "emit", "refusal"]

#: the name of the kernel in the emitted C
ENTRY = "compute"

_SECONDS = 60.0
_FUNCTION = re.compile(r"^int (\w+)\(.*?^\}\n", re.MULTILINE | re.DOTALL)


def command_line(
    taco: str,
    expression: str,
    formats: Mapping[str, str],
    sizes: Mapping[str, int],
    schedule: Schedule,
    output: str,
) -> list[str]:
    """Return the arguments of the `taco` process that writes the kernel to `output`.

    `sizes` gives the size of every index variable: without it TACO takes 42 for each, and would
    size workspaces by that.
    """
    return [
        taco,
        expression,
        *(f"-f={name}:{letters}" for name, letters in formats.items()),
        *(f"-d={variable}:{size}" for variable, size in sizes.items()),
        *(f"-s={command}" for command in schedule.commands),
        "-print-nocolor",
        f"-write-source={output}",
    ]


def emit(
    taco: str,
    expression: str,
    formats: Mapping[str, str],
    sizes: Mapping[str, int],
    schedule: Schedule,
    folder: Path,
) -> str:
    """Return the C text of the scheduled kernel: TACO's header and the function `compute`.

    Raises:
        BuildFailed: TACO refuses the schedule; the message is TACO's.
    """
    handle, name = tempfile.mkstemp(suffix=".c", dir=folder)
    os.close(handle)
    written = Path(name)
    try:
        command = command_line(taco, expression, formats, sizes, schedule, name)
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BuildFailed(f"taco wrote no kernel within {_SECONDS:g} s") from None
        text = written.read_text(encoding="utf-8", errors="replace")
    finally:
        written.unlink(missing_ok=True)
    if done.returncode != 0 or not text:
        output = (done.stderr + done.stdout).strip()
        raise BuildFailed(refusal(output, done.returncode), detail=output[-4000:])
    return _only_compute(text)


def refusal(output: str, code: int) -> str:
    """Return TACO's reason, in one line, out of what it printed before it aborted."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for place, line in enumerate(lines):
        if line.startswith(("what():", "Error at ")):
            reason = lines[place + 1] if place + 1 < len(lines) else line
            return "taco: " + reason.rstrip(":;").strip()
        if line.startswith("Error: "):
            return "taco: " + line.removeprefix("Error: ")
    last = lines[-1] if lines else "it said nothing"
    return f"taco ended with status {code}: {last}"


def _only_compute(text: str) -> str:
    head, _, _ = text.partition("\nint compute(")
    # The first lines repeat the command with the name of the file, which is another every time.
    head = head[head.index("#ifndef") :] if "#ifndef" in head else head
    for found in _FUNCTION.finditer(text):
        if found.group(1) == ENTRY:
            return head + "\n\n" + found.group(0)
    raise BuildFailed("taco wrote no function 'compute'", detail=text[-4000:])
