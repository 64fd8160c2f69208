"""Normal forms, so that rules find what they look for.

After ELEVATE (ICFP 2020), section 4.2: the data-flow form has every function that a pattern takes
written as a lambda and nothing left to compute at rewriting time; the rewriting form has besides
every map cut into as many maps as there are steps in it.
"""

from __future__ import annotations

from daybreak_rise.elevate.strategy import Strategy, named, seq
from daybreak_rise.elevate.traversal import normalise
from daybreak_rise.rules.maps import map_fission, map_fusion
from daybreak_rise.rules.normalising import (
    beta_reduction,
    eta_abstraction,
    first_of_pair,
    join_of_split,
    map_identity,
    pair_of_parts,
    scalars_of_vectors,
    second_of_pair,
    split_of_join,
    transpose_twice,
    unzip_of_zip,
    vectors_of_scalars,
    zip_of_unzip,
)
from daybreak_rise.rules.zips import map_of_zip_part

__all__ = ["cnf", "dfnf", "flow_and", "rnf", "simplify", "steps"]


_FLOW = beta_reduction | first_of_pair | second_of_pair | pair_of_parts | eta_abstraction

#: data-flow form
dfnf = named("dfnf", normalise(_FLOW))

#: data-flow form without movements that undo each other and without maps that do nothing
simplify = named(
    "simplify",
    normalise(
        _FLOW
        | transpose_twice
        | join_of_split
        | split_of_join
        | scalars_of_vectors
        | vectors_of_scalars
        | unzip_of_zip
        | zip_of_unzip
        | map_identity
        | map_of_zip_part
    ),
)


def flow_and(rules: Strategy) -> Strategy:
    """Return what brings to data-flow form and applies `rules` until they apply nowhere."""
    return normalise(_FLOW | rules)


#: rewriting form: data-flow form with every map cut into its steps
rnf = named("rnf", normalise(_FLOW | map_fission))

#: code-generation form: data-flow form with all maps fused that follow one another
cnf = named("cnf", normalise(_FLOW | map_fusion))


def steps(*parts: Strategy) -> Strategy:
    """Return the parts in order, each brought to data-flow form (the paper's `;;`)."""
    return seq(*(one for part in parts for one in (part, dfnf)))
