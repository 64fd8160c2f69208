"""Benchmarks made of recorded measurements: target `replay`, importers and exporters."""
