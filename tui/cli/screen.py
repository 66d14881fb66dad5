"""Opens the full-screen application: on the configured realm, or on a welcome screen where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.terminal import check_terminal

if TYPE_CHECKING:
    from tui.cli.options import GlobalOptions


def open_screen(options: GlobalOptions) -> int:
    """Run the application until it is left; gives the exit code."""
    check_terminal()
    from tui.app import run

    workplace = options.workplace()
    try:
        return run(workplace)
    finally:
        workplace.close()
