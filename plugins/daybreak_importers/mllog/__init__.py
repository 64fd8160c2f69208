"""MLPerf training logs: v0.5 ``:::MLPv0.5.0``, v0.6 ``:::MLL``, later ``:::MLLOG``."""
