"""JSON files of pytest-benchmark: one file is one execution of a test suite on one machine."""
