"""The colours of tones, for every widget that draws pieces of text."""

from __future__ import annotations

from tui.widgets.cells import Tone

TONE_CLASSES = frozenset(f"tone--{tone.value}" for tone in Tone if tone)
"""Component classes that give each tone its style."""

TONE_CSS = """
.tone--good { color: $success; }
.tone--warn { color: $warning; }
.tone--bad { color: $error; text-style: bold; }
.tone--dim { color: $faint; }
.tone--muted { color: $muted; }
.tone--strong { text-style: bold; }
.tone--accent { color: $accent; }
.tone--bar { color: $primary; }
.tone--track { color: $track; }
"""
