"""The local executor: runs blocks on this machine, `jobs` at a time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from daybreak.run.block import Block
from daybreak.run.study import Cancelled

__all__ = ["LocalExecutor"]


class LocalExecutor:
    """Runs blocks in order; with `jobs` > 1, several at once in threads.

    Measuring happens in worker processes, and so does the computing of optimizers with isolation
    `worker`: threads are enough. Trials on exclusive devices never overlap whatever `jobs` says;
    benches of targets that need no exclusive device do.
    """

    def __init__(self, jobs: int = 1) -> None:
        self._jobs = max(1, jobs)

    def run(self, blocks: Sequence[Block], stop: threading.Event) -> None:
        """Run all `blocks`, or as many as come before `stop` is set.

        Raises:
            Cancelled: `stop` was set.
            StoreError: nothing can be recorded any more; running trials are cancelled.
        """
        if self._jobs == 1:
            for block in blocks:
                if stop.is_set():
                    raise Cancelled
                block.run()
            return
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="daybreak-block") as pool:
            futures: set[Future[None]] = {pool.submit(self._one, b, stop) for b in blocks}
            pending = futures
            while pending:
                # wakes up now and then, so that the main thread sees signals
                done, pending = wait(pending, timeout=0.2, return_when=FIRST_EXCEPTION)
                failed = [f for f in done if f.exception() is not None]
                if failed:
                    stop.set()
                    for block in blocks:
                        block.cancel()
                    wait(pending)
                    errors = [e for f in futures if (e := f.exception()) is not None]
                    # what broke first matters; the others were only cancelled because of it
                    raise next((e for e in errors if not isinstance(e, Cancelled)), errors[0])

    @staticmethod
    def _one(block: Block, stop: threading.Event) -> None:
        if stop.is_set():
            raise Cancelled
        block.run()
