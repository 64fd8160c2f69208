"""The command line. Each command is thin: it calls one function of a floor below.

Exit codes: 0 done, 1 some studies failed, 2 the user's input or machine must be mended,
130 interrupted with everything kept.
"""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; a user's fault ends in one message and exit code 2, no traceback."""
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
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    except BrokenPipeError:
        # the reader went away (`| head`): nothing to say, and nothing more to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
