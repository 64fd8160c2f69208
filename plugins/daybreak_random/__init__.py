"""The optimizers that need no model: uniform random, path-biased random, grid, references."""
