"""The command line. Each command is thin: it calls one function of a floor below.

Exit codes: 0 done, 1 some studies failed, 2 the user's input or machine must be mended,
130 interrupted with everything kept.
"""

from __future__ import annotations

import errno
import os
import sys

__all__ = ["main"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def main() -> None:
    """Run the command line; a user's fault ends in one message and exit code 2, no traceback."""
    try:
        _run()
    except KeyboardInterrupt:  # also while the commands are being imported
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    except BrokenPipeError:
        # the reader went away (`| head`): nothing to say, and nothing more to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        # not a file that a command names: those are told apart by the floors below
        sys.stderr.write(f"error: the output cannot be written: {error.strerror}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(2)


def _run() -> None:
    from daybreak.cli.app import app
    from daybreak.errors import PluginError, UserError

    try:
        app()
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    except PluginError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
    finally:
        sys.stdout.flush()  # here, not when the interpreter ends, a full disk can be told
