"""A number without a unit where a size is meant: 8192 is no 8 KiB, wherever a person types it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.program import Outcome

EACH = ("--vcpus", "1")


@pytest.mark.parametrize(
    "words",
    [
        ("place", *EACH, "--memory", "8192"),
        ("place", *EACH, "--memory", "1 GiB", "--with-vm", "h1=1,8192"),
        ("cost", "--function", "c", "--vms", "1", *EACH, "--memory", "8192"),
        ("plan", "capacity", *EACH, "--memory", "8192"),
        ("plan", "capacity", "--mix", "2=1,8192"),
        ("plan", "room", *EACH, "--memory", "8192"),
        ("plan", "batch", "2=1,8192"),
        ("vms", "create", "web", *EACH, "--memory", "8192"),
        ("drives", "create", "data", "--size", "8192"),
    ],
    ids=" ".join,
)
def test_a_bare_number_is_no_size(run: Callable[..., Outcome], words: tuple[str, ...]) -> None:
    """It is refused with what was meant, before anything is looked at."""
    refused = run(*words)
    assert (refused.code, "did you mean '8192 MiB'" in refused.err) == (2, True)
