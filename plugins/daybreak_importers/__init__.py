"""Readers of published results: DAWNBench, MLPerf training logs, pytest-benchmark, Optuna."""
