"""The conformance kit: pytest classes and fixtures that hold a plugin to its contract."""
