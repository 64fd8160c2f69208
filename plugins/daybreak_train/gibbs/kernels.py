"""Compiled Gibbs updates, free of locks and of the interpreter.

Several threads may update one state at once: then each reads what the others have written by then,
or not yet (HogWild! Gibbs, algorithm 2 of the asynchronous Gibbs paper).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from daybreak_train.streams import next_word

__all__ = ["log_odds", "update"]

_ONE = np.uint64(1)


@njit(inline="always")
def log_odds(state, layout, i):  # type: ignore[no-untyped-def]
    """Return log P(s_i = +1 | the rest) / P(s_i = -1 | the rest)."""
    total = 2.0 * layout.bias[i]
    for place in range(layout.pair_start[i], layout.pair_start[i + 1]):
        total += 2.0 * layout.pair_weight[place] * state[layout.pair_other[place]]
    for place in range(layout.head_start[i], layout.head_start[i + 1]):
        rule = layout.head_rule[place]
        held = 0
        for member in range(layout.rule_start[rule], layout.rule_start[rule + 1]):
            held += state[layout.rule_body[member]] > 0
        total += 2.0 * layout.rule_weight[rule] * layout.table[layout.table_start[rule] + held]
    for place in range(layout.body_start[i], layout.body_start[i + 1]):
        rule = layout.body_rule[place]
        held = 0
        for member in range(layout.rule_start[rule], layout.rule_start[rule + 1]):
            held += state[layout.rule_body[member]] > 0
        # without i itself
        held -= state[i] > 0
        at = layout.table_start[rule] + held
        total += (
            layout.rule_weight[rule]
            * state[layout.rule_head[rule]]
            * (layout.table[at + 1] - layout.table[at])
        )
    return total


@njit(nogil=True)
def update(  # type: ignore[no-untyped-def]
    state,
    layout,
    first,
    last,
    position,
    bits,
    averaged,
    recorded,
    late,
    count,
    sums,
    visits,
    stream,
):
    """Update variables `first` to `last` - 1 of `state` (int8, n) `count` times; where it stopped.

    Args:
        state: -1 or +1; shared with other threads or not.
        layout: the graph, `daybreak_train.gibbs.graph.Layout`.
        first: first variable of this thread's block.
        last: end of the block.
        position: variable to go on from, in order; -1: each is drawn at random from the block.
        bits: how many random bits decide an update; its probability is rounded to as many.
        averaged: add the conditional probability of +1 to `sums`, not whether +1 was drawn.
        recorded: whether to add at all.
        late: values are written after so many updates, together; 1: at once.
        count: number of updates.
        sums: float64, n; private to the thread.
        visits: int64, n; private to the thread.
        stream: random words: for each update 32 bits for the variable (if drawn) and then `bits`
            from the low end of a word, of which what is too short for the next need is thrown away.
    """
    chosen = np.empty(late, dtype=np.int64)
    values = np.empty(late, dtype=np.int8)
    waiting = 0
    word = np.uint64(0)
    left = 0
    width = last - first
    in_order = position >= 0
    power = math.ldexp(1.0, bits)
    mask = (_ONE << np.uint64(bits)) - _ONE
    for _ in range(count):
        if in_order:
            i = position
            position += 1
            if position == last:
                position = first
        else:
            if left < 32:
                word = next_word(stream)
                left = 64
            i = first + np.int64(
                ((word & np.uint64(0xFFFFFFFF)) * np.uint64(width)) >> np.uint64(32)
            )
            word >>= np.uint64(32)
            left -= 32
        chance = 1.0 / (1.0 + math.exp(-log_odds(state, layout, i)))
        if left < bits:
            word = next_word(stream)
            left = 64
        drawn = word & mask
        word >>= np.uint64(bits)
        left -= bits
        value = 1 if np.float64(drawn) < math.floor(chance * power + 0.5) else -1
        if late == 1:
            state[i] = value
        else:
            chosen[waiting] = i
            values[waiting] = value
            waiting += 1
            if waiting == late:
                for k in range(late):
                    state[chosen[k]] = values[k]
                waiting = 0
        if recorded:
            visits[i] += 1
            sums[i] += chance if averaged else (0.5 + 0.5 * value)
    for k in range(waiting):
        state[chosen[k]] = values[k]
    return position
