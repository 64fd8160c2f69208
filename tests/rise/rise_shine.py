"""A small program that speaks Shine's side of HyperMapper's protocol, in good ways and bad."""

from __future__ import annotations

import os
import subprocess
import sys
import time


def serve(read, write, behaviour: str) -> None:
    """Answer requests; the runtime is the sum of the numbers, a configuration with x = 3 invalid."""
    for number, line in enumerate(iter(read.readline, "")):
        if line.startswith("End"):
            return
        assert line.startswith("Request "), line
        count = int(line.split()[1])
        header = read.readline().strip()
        rows = [read.readline().strip() for _ in range(count)]
        if behaviour == "noise":
            write.write("[info] compiling\n\n")
        if behaviour == "hang":
            time.sleep(60)
        if behaviour == "die":
            sys.stderr.write("java.lang.OutOfMemoryError\n")
            sys.stderr.flush()
            os._exit(3)
        if behaviour == "endless":
            write.write("x" * (1 << 21))
        if behaviour == "once" and number > 0:
            os._exit(0)
        write.write(f"{header},runtime,Valid\n")
        for row in rows:
            values = [float(v) for v in row.replace("(", "").replace(")", "").split(",")]
            valid = values[0] != 3
            runtime = sum(values) if valid else -1
            if behaviour == "short":
                write.write(f"{row},{runtime}\n")
            elif behaviour == "other":
                write.write(f"{','.join(['7'] * len(row.split(',')))},{runtime},True\n")
            elif behaviour == "text":
                write.write(f"{row},fast,True\n")
            elif behaviour == "maybe":
                write.write(f"{row},{runtime},Perhaps\n")
            elif behaviour == "negative":
                write.write(f"{row},-5,True\n")
            else:
                write.write(f"{row},{runtime},{valid}\n")
        write.flush()


def main() -> None:
    """Answer on standard input, or start a tuner and answer on its standard input, as Shine does."""
    behaviour, mode = sys.argv[1:3]
    if behaviour == "silent":
        time.sleep(60)
    if mode == "pipe":
        serve(sys.stdin, sys.stdout, behaviour)
        return
    program = os.path.expanduser("~/.local/bin/hypermapper")
    assert program == os.environ["HYPERMAPPER"]
    tuner = subprocess.Popen(
        [sys.executable, program, "config.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert tuner.stdin is not None
    serve(tuner.stdout, tuner.stdin, behaviour)
    tuner.wait()


if __name__ == "__main__":
    main()
