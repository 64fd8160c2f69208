"""Runs a suite on the fake target and prints its events; the kill test kills this process."""

from __future__ import annotations

import sys

from run_fakes import registry

from daybreak import run_suite
from daybreak.run import JsonListener

if __name__ == "__main__":
    summary = run_suite(
        sys.argv[1], results=sys.argv[2], listener=JsonListener(), registry=registry()
    )
    sys.exit(summary.exit_code)
