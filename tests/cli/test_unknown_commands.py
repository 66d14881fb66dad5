"""What is answered to a command that doesn't exist."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from tui.__main__ import realms
from tui.cli.options import READING_WORDS, LazyGroup, UsageError

READING = {
    "demo", "check", "show", "cost", "place", "plan", "replay", "fleet", "doctor", "list", "test", "discover", "status",
    "snapshots", "capacity", "failure", "batch", "export", "hosts", "vms", "pools", "bricks", "drives", "volumes",
    "registry", "keys", "save", "log",
}  # fmt: skip
"""Commands that change nothing, and those that only have commands of their own."""


def groups(command: click.Command, path: str = "realms") -> Iterator[tuple[str, LazyGroup]]:
    """Walk through all commands that have commands."""
    if isinstance(command, LazyGroup):
        yield path, command
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from groups(found, f"{path} {name}")


GROUPS = dict(groups(realms))


def hint_for(group: LazyGroup, word: str) -> str:
    """Return the hint of an unknown command."""
    with pytest.raises(UsageError) as raised:
        group.resolve_command(click.Context(group), [word, "x"])
    return raised.value.hint


@pytest.mark.parametrize("path", GROUPS)
def test_a_word_that_asks_to_look_is_never_answered_by_a_change(path: str) -> None:
    """Nor one of its slips: `stat` is no `start`, `show` no `shutdown`."""
    group = GROUPS[path]
    known = group.list_commands(click.Context(group))
    for word in READING_WORDS:
        for typed in (word, word.upper(), word + word[-1]):
            if typed not in known:
                hint = hint_for(group, typed)
                meant = hint.removeprefix("did you mean ").removesuffix("?")
                assert hint.startswith("commands: ") or meant in READING, (typed, hint)


@pytest.mark.parametrize(("word", "meant"), [("statr", "start"), ("lst", "list"), ("shutdwon", "shutdown")])
def test_a_slip_is_answered_by_what_was_meant(word: str, meant: str) -> None:
    """As long as nothing else may have been."""
    assert hint_for(GROUPS["realms vms"], word) == f"did you mean {meant}?"
