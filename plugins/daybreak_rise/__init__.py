"""RISE in Python: typed functional patterns, rewritten by strategies, lowered to GPU kernels.

An expression is written with the words of `dsl`; `x | f` applies f to x, `f >> g` composes::

    from daybreak_rise.dsl import *
    from daybreak_rise.types import array, f32

    # what to compute: matrix multiplication, n x k by k x m
    n, k, m = 64, 32, 128
    mm = fun(
        array(n, k, f32), array(k, m, f32),
        lambda a, b: a | map_(lambda row: b | transpose | map_(lambda col:
            zip_(row, col) | map_(lambda p: fst(p) * snd(p)) | reduce_(add, 0.0))),
    )

    # how to run it, here by hand (strategies derive such forms): a work-item a result
    low = fun(
        array(n, k, f32), array(k, m, f32),
        lambda a, b: a | map_global(1)(lambda row: b | transpose | map_global(0)(lambda col:
            zip_(row, col) | reduce_seq()(lambda acc, p: acc + fst(p) * snd(p), 0.0))),
    )

Every node is typed when it is made (`mm.type` is ``64.32.f32 -> 32.128.f32 -> 64.128.f32``), sizes
are ints or symbols (`nat.nat("n")`, numbers given by `expr.replace_sizes_everywhere`). To take an
expression apart: `expr.spine(e)` gives the head and its arguments (``Primitive("mapGlobal", (1,))``
and ``(f, x)``); `patterns.PATTERNS` lists every primitive with its type and static parameters;
`expr.canonical(e)` numbers the bound names, the form to hash and to generate code from.
"""
