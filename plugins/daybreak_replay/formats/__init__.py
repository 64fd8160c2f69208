"""Readers: one module per file format, each gives a `Recording`."""
