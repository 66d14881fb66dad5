"""What all commands have in common: the answer to one that does not exist, and that deletions can be tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.cli.program import runner
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


def test_every_command_that_deletes_can_be_tried() -> None:
    """With `--dry-run`."""
    for path, group in GROUPS.items():
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if name in ("delete", "remove", "delete-snapshot"):
                assert command is not None
                assert "dry_run" in {parameter.name for parameter in command.params}, f"{path} {name}"


def test_a_host_is_not_removed_by_a_dry_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named, and stays."""
    monkeypatch.setenv("REALMS_REGISTRY", str(tmp_path / "registry.json"))
    monkeypatch.setenv(
        "REALMS_CONFIG", str(Path(__file__).parents[2] / "sample-configs" / "minimal" / "ticrypt-vm.conf")
    )
    run = runner(monkeypatch, capsys)
    assert run("hosts", "add", "h1", "--realm", "main", "--profile", "standard", "--uri", "test:///default").code == 0
    tried = run("hosts", "remove", "h1", "--dry-run")
    assert (tried.code, tried.out) == (0, "h1 would be removed from the registry; its VMs are not touched\n")
    assert run("hosts", "remove", "h1", "--yes").out == "h1 removed from the registry; its VMs are not touched\n"
