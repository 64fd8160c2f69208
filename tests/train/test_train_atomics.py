"""Locks, barriers and atomic sums of compiled kernels, tried with several threads."""

from __future__ import annotations

import threading

import numpy as np
from numba import njit

from daybreak_train.atomics import acquire, atomic_add, atomic_load, barrier, release

THREADS = 3


@njit(nogil=True)
def count(lock, counts, times):
    for _ in range(times):
        acquire(lock)
        counts[0] += 1  # a load, a sum, a store: lost updates without the lock
        release(lock)
        atomic_add(counts, 1, 2)


@njit(nogil=True)
def march(gate, threads, me, places, strays, times):
    for step in range(times):
        places[me] = step
        barrier(gate, threads)
        for other in range(threads):
            if places[other] != step:
                strays[me] += 1
        barrier(gate, threads)


def together(kernel, arguments):
    threads = [threading.Thread(target=kernel, args=own) for own in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
        assert not thread.is_alive()


def test_a_lock_loses_no_update():
    lock, counts = np.zeros(16, np.int64), np.zeros(2, np.int64)
    count(lock, counts, 1)
    together(count, [(lock, counts, 20_000)] * THREADS)
    assert counts.tolist() == [THREADS * 20_000 + 1, 2 * (THREADS * 20_000 + 1)]
    assert lock[0] == 0


def test_nobody_passes_a_barrier_alone():
    gate, places, strays = (np.zeros(16, np.int64) for _ in range(3))
    march(gate, 1, 0, places, strays, 2)
    together(march, [(gate, THREADS, me, places, strays, 200) for me in range(THREADS)])
    assert strays.tolist() == [0] * 16
    assert gate[0] == 0
    assert gate[1] == 4 + 2 * 200


def test_an_atomic_sum_returns_what_was_there():
    cells = np.array([5, 7], np.int64)

    @njit(nogil=True)
    def twice(cells):
        return atomic_add(cells, 1, 3), atomic_add(cells, 1, -1), atomic_load(cells, 1)

    assert twice(cells) == (7, 10, 9)
    assert cells.tolist() == [5, 9]
