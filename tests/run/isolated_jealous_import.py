"""A module that ends the interpreter unless it is imported on behalf of an optimizer."""

from __future__ import annotations

import os
import traceback

if "_create" not in {frame.name for frame in traceback.extract_stack()}:
    os._exit(6)
