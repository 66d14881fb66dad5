"""The examples of the documentation are understood, and run where they need no host."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
import pytest

from tests.docs.pages import MANUAL, SAMPLES, name_of, offline
from tui.__main__ import realms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.program import Outcome


def examples(page: Path) -> list[str]:
    """Find the commands in the code blocks of a page."""
    lines = re.findall(r"^    (realms(?: .+)?)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [line for line in lines if not re.search(r"\[[A-Z]+\]", line)]  # no usage such as `realms check [FILE]`


@dataclass(frozen=True)
class Parsed:
    """A command line as click understands it."""

    name: str
    words: list[str]
    given: dict[str, Any]
    """Parameters by name."""


def parse(line: str) -> Parsed:
    """Read a command line without running it; raises what click raises for a wrong one."""
    words = shlex.split(line)[1:]
    command: click.Command = realms
    context = command.make_context("realms", list(words))
    name = "realms"
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest:
            break
        word, found, rest = command.resolve_command(context, rest)
        assert found is not None
        assert word is not None
        name, command = f"{name} {word}", found
        context = command.make_context(word, rest, parent=context)
    return Parsed(name, words, dict(context.params))


ALL_EXAMPLES = [(page, line) for page in MANUAL for line in dict.fromkeys(examples(page))]


@pytest.mark.parametrize(("page", "line"), ALL_EXAMPLES, ids=lambda value: value if isinstance(value, str) else None)
def test_examples_are_understood(page: Path, line: str) -> None:
    """Every one, also those that need hosts."""
    assert (parse(line).name == "realms") == (line == "realms"), page


OFFLINE = {"realms check", "realms show", "realms cost", "realms place", "realms replay", "realms hosts list",
           "realms vms list"}  # fmt: skip
"""Commands that answer from a saved fleet or from files."""
LOCAL = {"realms hosts add", "realms hosts edit", "realms hosts enable", "realms hosts no-scheduling",
         "realms keys make", "realms keys show", "realms plan resume", "realms vms recover"}  # fmt: skip
"""Commands that need only files of this machine."""


def runs_offline(parsed: Parsed) -> bool:
    """Whether a command answers from a saved fleet."""
    plans = parsed.name.startswith("realms plan ") and parsed.name != "realms plan resume"
    return (parsed.name in OFFLINE or plans) and not (parsed.given.get("carries_out") or parsed.given.get("live"))


def runs_locally(parsed: Parsed) -> bool:
    """Whether a command runs without hosts and without a saved fleet."""
    return parsed.name in LOCAL or bool(parsed.given.get("dry_run"))


@pytest.mark.parametrize("page", MANUAL, ids=name_of)
def test_examples_run(page: Path, run: Callable[..., Outcome], folder: Path) -> None:
    """Those that need no host, in their order: with the saved fleet of the samples, or with files of this machine."""
    if page.name == "README.md":  # its first steps begin with the minimal sample
        shutil.copytree(SAMPLES / "minimal", folder, dirs_exist_ok=True)
    else:
        for host in json.loads((folder / "fleet.json").read_text(encoding="utf-8"))["hosts"]:
            where = ("--realm", "main", "--uri", f"qemu+ssh://root@{host['name']}/system")
            assert run("hosts", "add", host["name"], *where, "--profile", host["profile"]).code == 0
    for line in examples(page):
        parsed = parse(line)
        if runs_offline(parsed):
            place_of_fleet = [] if "--fleet" in parsed.words else offline(folder, parsed.name)
            outcome = run(*place_of_fleet, *parsed.words)
        elif runs_locally(parsed):
            outcome = run(*parsed.words)
        else:
            continue
        assert outcome.code in (0, 1), f"{line}\n{outcome.err}"
