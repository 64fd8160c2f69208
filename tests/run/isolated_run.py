"""Runs a suite with isolated optimizers and prints its events; tests interrupt or kill it."""

from __future__ import annotations

import sys

from isolated_registry import isolated_registry

from daybreak import run_suite
from daybreak.run import JsonListener

if __name__ == "__main__":
    summary = run_suite(
        sys.argv[1],
        results=sys.argv[2],
        jobs=int(sys.argv[3]),
        listener=JsonListener(),
        registry=isolated_registry(),
    )
    sys.exit(summary.exit_code)
