"""What every test stands on."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says nothing on a machine that others work on too.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
