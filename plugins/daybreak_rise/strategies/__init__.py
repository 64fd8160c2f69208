"""Strategies made of rules: normal forms, tiling, loop exchange, staging in memory, lowering."""
