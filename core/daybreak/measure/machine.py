"""The machine and its software: identities that stay, readings that vary, and warnings of noise.

An identity answers "may these times be compared?" and therefore holds nothing that varies from one
minute or one reboot to the next; clock rates, load and temperature are readings. What the system
does not say is None, never a guess.
"""

from __future__ import annotations

from daybreak.measure.environment import environment_lock
from daybreak.measure.hardware import machine_identity
from daybreak.measure.noise import noise_warnings
from daybreak.measure.readings import machine_readings

__all__ = ["environment_lock", "machine_identity", "machine_readings", "noise_warnings"]
