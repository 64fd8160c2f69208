"""Successive halving on the stream of a progress curve: most trials are given up early."""
