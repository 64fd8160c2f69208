"""Our own Bayesian optimisation over constrained spaces."""
