"""A good optimizer, a good target, and what becomes of each when one rule is broken."""
