"""Where a VM is after all: what both sides of a migration say, whatever became of the migration itself."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from core.driver.connection.asking import ask_within
from core.driver.migration.migration import Sight, see
from core.errors import RealmsError
from core.fleet.fleet import VMState
from core.hosts import Host
from core.text import shell_command

LOOK_DEADLINE = 15.0
"""Seconds that each side has to say where the VM is."""

SETTLING = 40.0
"""Seconds that libvirt may take to clean up: it notices a lost client or peer after up to 30."""

SILENCE = 15.0
"""Seconds that a side which can't be asked has to come back: a daemon is started again within a few."""

_BETWEEN_LOOKS = 1.0


class LocationState(StrEnum):
    """Where a VM is. UNKNOWN: a side that may have it could not be asked."""

    SOURCE = "source"
    TARGET = "target"
    BOTH = "both"
    OFF_AT_SOURCE = "off-at-source"
    OFF_AT_TARGET = "off-at-target"
    OFF_AT_BOTH = "off-at-both"
    NOWHERE = "nowhere"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class VMLocation:
    """What each side says of the VM; None where it could not be asked, for the reason beside."""

    vm: str
    source: str
    target: str
    here: Sight | None
    there: Sight | None
    here_error: str = ""
    there_error: str = ""
    held: bool = False
    """Whether we have paused it at the source because the target might run it."""

    @property
    def place(self) -> LocationState:
        """Where it is, as far as the two sides tell."""
        here, there = self.here, self.there
        if here is None or there is None:
            return LocationState.UNKNOWN
        if here.active or there.active:
            return (
                LocationState.BOTH
                if here.active and there.active
                else LocationState.SOURCE
                if here.active
                else LocationState.TARGET
            )
        if here.defined and there.defined:
            return LocationState.OFF_AT_BOTH
        return (
            LocationState.OFF_AT_SOURCE
            if here.defined
            else LocationState.OFF_AT_TARGET
            if there.defined
            else LocationState.NOWHERE
        )

    @property
    def settled(self) -> bool:
        """Whether no migration works on it any more on either side."""
        sides = (self.here, self.there)
        return all(side is not None and not side.busy and not side.incoming for side in sides)

    @property
    def has_remnant(self) -> bool:
        """Whether the target has it for good, and what the source has is what nobody has told to end."""
        here, there = self.here, self.there
        if self.place is not LocationState.BOTH or here is None or there is None:
            return False
        left = here.held_by_migration or (self.held and here.state is VMState.PAUSED)
        arrived = there.state is VMState.RUNNING and not there.incoming and not there.busy
        return left and not here.busy and arrived

    @property
    def message(self) -> str:
        """Return plainly where the VM is."""
        here, there = self.here, self.there
        match self.place:
            case LocationState.SOURCE if here is not None:
                return f"{self.vm} is {here.state.value} on {self.source}; {self._side(self.target, there)}"
            case LocationState.TARGET if there is not None:
                return f"{self.vm} is {there.state.value} on {self.target}; {self.source} no longer runs it"
            case LocationState.BOTH if here is not None and there is not None:
                kind = "an unfinished copy of it" if there.incoming else f"a copy that is {there.state.value}"
                return f"{self.vm} is {here.state.value} on {self.source}, and {self.target} has {kind}"
            case LocationState.OFF_AT_SOURCE:
                return f"{self.vm} is off, and defined only on {self.source}"
            case LocationState.OFF_AT_TARGET:
                return f"{self.vm} is off, and defined only on {self.target}"
            case LocationState.OFF_AT_BOTH:
                return f"{self.vm} is off, and defined on both {self.source} and {self.target}"
            case LocationState.NOWHERE:
                return f"{self.vm} is no longer on {self.source} or {self.target}"
            case _:
                sides = f"{self._side(self.source, here)}, {self._side(self.target, there)}"
                return f"the location of {self.vm} is unknown: {sides}"

    @property
    def hint(self) -> str:
        """Return what to do about it; empty where nothing needs to be done."""
        here, there = self.here, self.there
        match self.place:
            case LocationState.UNKNOWN if there is None and here is not None and here.state is VMState.PAUSED:
                return (
                    f"{self.target} may run it: run realms vms recover once it answers; if you are sure it "
                    f"doesn't, {self._command('resume', self.source)}"
                )
            case LocationState.SOURCE if here is not None and here.state is VMState.PAUSED and here.held_by_migration:
                return f"when you are sure {self.target} doesn't run it: {self._command('resume', self.source)}"
            case LocationState.BOTH if there is not None and there.incoming:
                destroy = shell_command("virsh destroy", self.vm)
                return f"libvirt on {self.target} stops its copy when it notices; otherwise: {destroy} there"
            case LocationState.BOTH:
                commands = f"{self._command('off', self.target)}, or {self._command('off', self.source)}"
                return f"stop one of them now: {commands}"
            case LocationState.OFF_AT_SOURCE:
                return self._command("start", self.source)
            case LocationState.OFF_AT_TARGET:
                return self._command("start", self.target)
            case LocationState.OFF_AT_BOTH:
                undefine = shell_command("virsh undefine", self.vm)
                return f"start it on one of them, and undefine it on the other: {undefine}"
            case LocationState.NOWHERE:
                return "its disks are unchanged; restore its definition from a backup"
            case LocationState.UNKNOWN:
                silent = " and ".join(
                    name for name, sight in ((self.source, here), (self.target, there)) if sight is None
                )
                return f"don't start it anywhere before {silent} answers: realms vms list"
            case _:
                return ""

    def _command(self, verb: str, host: str) -> str:
        return shell_command(f"realms vms {verb}", f"{host}/{self.vm}")

    def _side(self, host: str, sight: Sight | None) -> str:
        if sight is None:
            error = self.here_error if host == self.source else self.there_error
            return f"{host} is unreachable ({error})"
        if sight.active:
            return f"{host} has an unfinished copy" if sight.incoming else f"on {host} it is {sight.state.value}"
        return f"on {host} it is off" if sight.defined else f"{host} doesn't have it"


def look(vm: str, uuid: str, source: Host, target: Host, deadline: float = LOOK_DEADLINE) -> VMLocation:
    """Ask both sides once, by new connections."""
    here, here_error = _ask(source, uuid, deadline)
    there, there_error = _ask(target, uuid, deadline)
    return VMLocation(vm, source.name, target.name, here, there, here_error, there_error)


def wait_until_settled(
    vm: str,
    uuid: str,
    source: Host,
    target: Host,
    *,
    monotonic: Callable[[], float],
    wait: Callable[[float], object],
    ask: Callable[[str, str, Host, Host], VMLocation] | None = None,
) -> VMLocation:
    """Ask both sides until no migration works on the VM any more, or patience ends."""
    ask = ask or look
    started = monotonic()
    while True:
        found = ask(vm, uuid, source, target)
        patience = SILENCE if found.place is LocationState.UNKNOWN else SETTLING
        if found.settled or monotonic() - started >= patience:
            return found
        wait(_BETWEEN_LOOKS)


def _ask(host: Host, uuid: str, deadline: float) -> tuple[Sight | None, str]:
    try:
        return ask_within(host.name, host.uri, deadline, lambda connection: see(connection, uuid)), ""
    except RealmsError as error:
        return None, error.bare_message
