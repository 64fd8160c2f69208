"""DAWNBench entries: a JSON file about each, and for training a TSV file with its curve."""
