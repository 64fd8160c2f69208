"""ELEVATE in Python: rewriting as strategies that compose.

`strategy` has results, rules and combinators, `traversal` the ways to places, `predicates` the
questions about an expression, `trace` a rewriting told step by step.
"""
