"""What every test stands on."""

from __future__ import annotations

import os

from hypothesis import settings

# How long an example takes says nothing on a machine that others work on too. The same examples in every run, so that a
# change is judged by what it changes; REALMS_EXPLORE=1 looks for new ones, ten times as many.
settings.register_profile("house", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("explore" if os.environ.get("REALMS_EXPLORE") else "house")
