"""The option of commands that delete volumes of VMs: what to do where nobody can tell who uses them."""

from __future__ import annotations

import click

unasked_option = click.option(
    "--unasked",
    is_flag=True,
    help="Delete volumes also where nobody can tell who uses them, as a host can't be asked; never what is in use.",
)
