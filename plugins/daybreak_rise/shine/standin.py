"""The program that Shine starts in HyperMapper's place: it only passes lines on.

It gets a file's name as HyperMapper does and ignores it; the socket is named by an environment
variable. Standard library only: Shine may start it with any Python.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

__all__ = ["main"]

SOCKET = "DAYBREAK_SHINE_SOCKET"


def main() -> int:
    """Pass what the socket says to standard output, and standard input to the socket."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.connect(os.environ[SOCKET])

    def answers() -> None:
        while chunk := os.read(0, 65536):
            line.sendall(chunk)
        line.shutdown(socket.SHUT_WR)

    threading.Thread(target=answers, daemon=True).start()
    while chunk := line.recv(65536):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
