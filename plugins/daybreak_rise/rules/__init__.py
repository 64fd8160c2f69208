"""The rules: each turns one form of expression into another with the same value and type.

`maps`, `zips`, `reductions` and `windows` change what is computed when, `movement` exchanges
moving and computing, `reshaping` movements with each other, `lowering` says how and where things
run, `vectors` and `memory` do so for registers and address spaces, `normalising` simplifies.
"""
