"""Optuna's storages, read without Optuna where they are files: nothing of theirs is ever written,
and nothing is unpickled.
"""
