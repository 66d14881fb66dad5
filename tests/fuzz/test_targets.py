"""The short form of `make fuzz`: the same damage each time, and every input that has broken a reader before."""

from __future__ import annotations

import contextlib
from random import Random

import pytest

from tests.fuzz.__main__ import kept
from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS

ROUNDS = 150


@pytest.mark.parametrize("name", TARGETS)
def test_a_damaged_text_is_read_or_refused(name: str) -> None:
    """No other error comes out."""
    target, random = TARGETS[name], Random(name)
    for seed in target.seeds:
        target.read(seed)  # whole, it is taken
    texts = [*kept(name), *(mutated(random, random.choice(target.seeds)) for _ in range(ROUNDS))]
    for text in texts:
        with contextlib.suppress(*target.refusals):
            target.read(text)
