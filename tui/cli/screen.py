"""Opens the full-screen application: on the configured realm, or on a welcome where none can be read."""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import UnreadableFile
from tui.terminal.capabilities import check_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.operations.session import Session
    from tui.cli.options import GlobalOptions


def open_screen(options: GlobalOptions) -> int:
    """Run the application until it is left; gives the exit code.

    Without a configuration that can be read, a welcome says what was looked for or what is wrong, and offers the demo
    or another path.
    """
    check_terminal()
    with _nothing_to_collect():
        return _run(options)


def _run(options: GlobalOptions) -> int:
    while isinstance(session := _open(options), UnreadableFile):
        gc.enable()
        from core.config.places import DEFAULT_PLACES
        from tui.app.welcome import run_welcome

        choice = run_welcome([] if _names_a_file(options) else DEFAULT_PLACES, session)
        if choice.demo:
            return run_demo()
        if choice.path is None:
            return 0
        options.config = choice.path
    from tui.app.app import run

    with session:
        return run(session)


def run_demo(*, hosts: int = 8, vms: int = 40, still: bool = False) -> int:
    """Run the application on the demo fleet until it is left; gives the exit code."""
    with _nothing_to_collect():
        from core.demo.stage import Demo
        from tui.app.app import run

        with Demo(hosts=hosts, vms=vms, still=still) as session:
            return run(session)


@contextmanager
def _nothing_to_collect() -> Iterator[None]:
    """Keep the garbage collector off until the first frame, which ends it: what a start loads stays until the end.

    Looking through it again and again takes a tenth of the time to the first frame.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _open(options: GlobalOptions) -> Session | UnreadableFile:
    """Open the session, or give what is wrong with the configuration.

    A saved fleet is looked at by people who know what they ask for: what is wrong then goes to standard error.
    """
    try:
        return options.session()
    except UnreadableFile as error:
        if options.fleet is not None:
            raise
        return error


def _names_a_file(options: GlobalOptions) -> bool:
    from core.config.places import VARIABLE

    return options.config is not None or VARIABLE in os.environ
