"""`realms replay`: the decisions of a log made again, by the present configuration or one in thought."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import GlobalOptions, RealmsCommand, json_option, pass_options
from tui.cli.placement.what_if_options import change_options_of_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from core.config.model import Configuration
    from core.operations.scheduling.log_reader import LoggedDecision
    from core.operations.scheduling.replay import ReplayResult, UnreadableLine
    from tui.cli.placement.what_if_options import Changes

PROGRESS_SECONDS = 1.0


@click.command("replay", cls=RealmsCommand)
@click.argument("log", type=click.Path(path_type=Path))
@click.option("--as-logged", is_flag=True,
              help="Use the configuration stored with each decision.")  # fmt: skip
@click.option("--all", "tell_all", is_flag=True, help="Show every decision, not only changed ones.")
@change_options_of_hosts
@json_option
@pass_options
def replay(
    options: GlobalOptions, *, log: Path, as_logged: bool, tell_all: bool, changes: Changes, as_json: bool
) -> int:
    """Replay a scheduling log and show which decisions would change.

    LOG is a scheduling.jsonl, written next to the registry by realms with log-scheduling, or a rotated one. Decisions
    use the current configuration, with --set and so on applied. Damaged lines are reported by number and skipped. Exit
    code 0 if every VM would go to the same host, at any cost; 1 if one would go elsewhere, or a line can't be replayed.
    """
    from core.operations.scheduling import replay as operation
    from core.operations.scheduling.config_store import digest_of
    from tui.cli.placement.replay_summary import Summary

    hosts = changes.of_hosts()
    present = None if as_logged else changes.configured(_load(options))
    by = _configurations(log, present, changes)
    summary = Summary(None if present is None else digest_of(present))
    outcomes = summary.count(_with_progress(operation.replay(log, by, hosts)), {change.host for change in hosts})
    if as_json:
        from tui.cli.placement.replay_json import print_document

        print_document(log, outcomes, summary, tell_all=tell_all)
    else:
        from tui.cli.placement.replay_text import print_report

        print_report(log, outcomes, summary, tell_all=tell_all)
    return 1 if summary.elsewhere or summary.unreadable else 0


def _load(options: GlobalOptions) -> Configuration:
    from core.config.places import find_configuration
    from core.config.reader import load

    return load(find_configuration(options.config, os.environ))


def _configurations(
    log: Path, present: Configuration | None, changes: Changes
) -> Callable[[LoggedDecision], Configuration]:
    if present is not None:
        return lambda _: present
    from core.operations.scheduling.replay import LoggedConfigurations

    return LoggedConfigurations(log, changes.configured)


def _with_progress(outcomes: Iterable[ReplayResult | UnreadableLine]) -> Iterator[ReplayResult | UnreadableLine]:
    """Return people at a terminal how far it is; a log may be long."""
    if not sys.stderr.isatty():
        yield from outcomes
        return
    told = time.monotonic()
    shown = False
    for number, outcome in enumerate(outcomes, 1):
        if time.monotonic() - told > PROGRESS_SECONDS:
            told, shown = time.monotonic(), True
            click.echo(f"\r{number} decisions", nl=False, err=True)
        yield outcome
    if shown:
        click.echo("\r\x1b[K", nl=False, err=True)
