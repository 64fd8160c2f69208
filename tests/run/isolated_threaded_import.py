"""A factory in a module that starts a thread when it is imported."""

from __future__ import annotations

import threading

from isolated_fakes import Witness

threading.Thread(target=threading.Event().wait, daemon=True).start()


class Threaded(Witness):
    """As its base."""
