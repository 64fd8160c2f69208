"""Bayesian optimisation over constrained compiler spaces: BaCO as published, and better."""
