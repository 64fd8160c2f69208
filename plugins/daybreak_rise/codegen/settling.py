"""Barriers where no data asks for one, but drivers that run a group as loops get lost without.

PoCL turns a kernel into loops over the work-items of a group, one for each stretch between two
barriers. PoCL 3.1 was seen to give wrong results, or to write outside its memory, where a stretch
begins inside a loop with barriers and goes on behind it: so a barrier stands behind every such loop.
(A barrier under a guard has the same effect, even where all work-items of a group come by; guards
are split around it by `barriers`.) GPUs wait once more for each loop, not for each turn.
"""

from __future__ import annotations

from daybreak_rise.codegen.ir import (
    Barrier,
    Block,
    For,
    Guard,
    ParallelFor,
    Statement,
    blocks,
    statements,
)

__all__ = ["settle"]


def settle(block: Block) -> None:
    """Put a barrier behind every loop with barriers, unless the kernel ends there."""
    _settle(block, None)


def _settle(block: Block, after: Statement | None) -> None:
    """Settle `block`, behind which `after` is run; None: nothing."""
    done: list[Statement] = []
    for place, one in enumerate(block.statements):
        behind = _first(block.statements[place + 1 :]) or after
        done.append(one)
        if isinstance(one, For | ParallelFor):
            # the last statement of a turn is followed by the next turn, or by what is behind
            _settle(one.body, _first(one.body.statements))
            inside = _barrier(one) if _turns(one) > 1 else None
            if inside is not None and behind is not None and not isinstance(behind, Barrier):
                done.append(Barrier(inside.local, inside.global_))
        elif isinstance(one, Block | Guard):
            for inner in blocks(one):
                _settle(inner, behind)
    block.statements = done


def _turns(one: For | ParallelFor) -> int:
    return one.variable.size if isinstance(one, For) else one.turn.size


def _first(run: list[Statement]) -> Statement | None:
    """Return the first of the statements that does anything."""
    for one in run:
        if not isinstance(one, Block):
            return one
        found = _first(one.statements)
        if found is not None:
            return found
    return None


def _barrier(one: Statement) -> Barrier | None:
    """Return a barrier inside a statement."""
    inner = (s for block in blocks(one) for s in statements(block))
    return next((s for s in inner if isinstance(s, Barrier)), None)
