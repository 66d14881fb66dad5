"""A VM's serial console: which program opens it, and whether it can be opened at all (specification, section 9)."""

import shutil
from dataclasses import dataclass

from core.codes import ErrorCode
from core.driver.connection.connection import HostConnection, effective_uri
from core.driver.vms.serial_consoles import has_console
from core.errors import RealmsError
from core.operations.hosts.access import HostAccess
from core.operations.session import Session
from core.operations.vms.lookup import ResolvedVM, VMRefused
from core.text import printable, shell_command
from core.uris import parse_uri

ESCAPE = "Ctrl-]"
"""What ends a console, as virsh has it."""


class NoConsole(RealmsError):
    """The VM has no console that could be opened, or the program that opens it is missing."""

    code = ErrorCode.NO_CONSOLE


@dataclass(frozen=True, slots=True)
class ConsoleCommand:
    """A program that takes the terminal over. Its arguments go to it as they are, never through a shell."""

    vm: str
    host: str
    arguments: tuple[str, ...]


def console_command(
    session: Session, at_hand: ResolvedVM, *, take_over: bool = False, deadline: float = 30.0
) -> ConsoleCommand:
    """Return the command that opens a VM's console; `take_over` ends a session that someone else has there.

    Raises NoConsole, VMRefused, DriverError.
    """
    vm, host = at_hand.vm, at_hand.host
    uri = parse_uri(host.uri)
    name = printable(vm.name)
    if uri.driver == "test":
        raise NoConsole(f"{host.name}: the embedded test driver has no consoles")
    virsh = shutil.which("virsh")
    if virsh is None:
        hint = "install it: apt install libvirt-clients, dnf install libvirt-client"
        raise NoConsole("virsh is not installed on this machine", hint=hint)
    with HostAccess(session, host, deadline) as access:
        active, serial = access.via_own_connection(lambda connection: _look(connection, vm.uuid))
    if not active:
        start = shell_command("realms vms start", f"{host.name}/{vm.name}")
        raise VMRefused(f"{name} is off: it has no console", hint=start)
    if not serial:
        hint = "it needs <serial type='pty'/> and <console type='pty'/> in its definition, and a restart"
        raise NoConsole(f"{name} has no serial console", hint=hint)
    # The UUID in the place of the name: a name may begin with a dash.
    options = ("--force",) if take_over else ("--safe",)
    return ConsoleCommand(vm.name, host.name, (virsh, "--connect", effective_uri(uri), "console", vm.uuid, *options))


def _look(connection: HostConnection, uuid: str) -> tuple[bool, bool]:
    return has_console(connection, uuid)
