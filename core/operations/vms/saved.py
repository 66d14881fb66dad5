"""Saved memory of a VM: what would break it is refused, with the way out (specification, section 9)."""

from core.driver.connection.connection import HostConnection
from core.driver.vms.saved_memory import has_saved_memory
from core.operations.vms.power import WrongState
from core.text import printable, shell_command


def refuse_saved(connection: HostConnection, uuid: str, name: str, why: str) -> None:
    """Raise WrongState where a VM, named as HOST/NAME, has saved memory; `why` it can't be done then. DriverError."""
    if has_saved_memory(connection, uuid):
        raise WrongState(f"{printable(name)} has saved memory: {why}", hint=way_out(name))


def way_out(name: str) -> str:
    """Return what to do about a VM's saved memory."""
    start, discard = shell_command("realms vms start", name), shell_command("realms vms discard-save", name)
    return f"{start} goes on from it; {discard} gives it up"
