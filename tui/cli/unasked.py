"""The option of commands that delete volumes of VMs: what to do where a host can't be asked who uses them."""

from __future__ import annotations

import click

unasked_option = click.option(
    "--unasked",
    is_flag=True,
    help="Delete volumes also where a host can't be asked who uses them; never what a VM is known to use.",
)
