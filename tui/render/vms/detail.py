"""One VM in detail, as facts below each other."""

from dataclasses import dataclass
from datetime import UTC, datetime

from core.config.model import Configuration
from core.fleet.fleet import VM, HostSnapshot, VMKey
from core.units import show_age, show_size
from tui.render.ages import connection_text, freshness
from tui.render.cells import Piece, Tone
from tui.render.vms.table import devices_text, state_tone, state_words

Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class VMDetail:
    """What the panel shows of one VM; `vm` None where the host no longer has it."""

    snapshot: HostSnapshot | None
    vm: VM | None
    now: float
    configuration: Configuration
    history: str
    key: VMKey
    doing: str = ""
    """What is being done to it now; empty where nothing is."""

    def title(self) -> Line:
        """Name the VM and its host."""
        name = self.vm.name if self.vm is not None else self.key[1]
        return ((name, Tone.STRONG), (" on ", Tone.MUTED), (self.key[0], Tone.STRONG))

    def lines(self, width: int, height: int) -> tuple[Line, ...]:  # noqa: ARG002 - a drawing's interface
        """List the facts."""
        if self.snapshot is None:
            return (((f"{self.key[0]} is no longer registered. Esc to go back.", Tone.WARN),),)
        if self.vm is None:
            return (((f"{self.key[0]} no longer has this VM. Esc to go back.", Tone.WARN),),)
        return tuple(self._line(name, pieces) for name, pieces in self._facts(self.snapshot, self.vm))

    def _line(self, name: str, pieces: tuple[Piece, ...]) -> Line:
        return ((f"{name:<12}", Tone.MUTED), *pieces) if pieces else ()

    def _facts(self, snapshot: HostSnapshot, vm: VM) -> list[tuple[str, tuple[Piece, ...]]]:
        worth = freshness(snapshot, self.now, self.configuration.realms)
        age = snapshot.age(self.now)
        profile = self.configuration.hardware_profiles.get(snapshot.host.profile)
        current = worth.is_current
        connection = connection_text(snapshot, self.now, self.configuration.realms)
        facts: list[tuple[str, tuple[Piece, ...]]] = []
        if current:
            doing = ((f"  {self.doing}", Tone.ACCENT),) if self.doing else ()
            facts.append(("State", ((state_words(vm), state_tone(vm)), *doing)))
        else:
            seen = f", {vm.state.label} when last seen {show_age(age)} ago" if age is not None else ""
            facts.append(("State", (("unknown", Tone.WARN), (f"{seen} (host: {connection})", Tone.DIM))))
        facts += [
            ("Kind", (_kind(vm),)),
            ("Host", ((vm.host, Tone.PLAIN), (f"  {snapshot.host.uri}  {connection}", Tone.MUTED))),
            ("Realm", ((vm.realm, Tone.PLAIN),)),
            ("UUID", ((vm.uuid, Tone.PLAIN),)),
            ("", ()),
            ("vCPUs", ((str(vm.vcpus), Tone.PLAIN),)),
            ("Load", self._load(vm, current=current)),
            ("Memory", ((show_size(vm.memory_bytes), Tone.PLAIN),)),
            ("Devices", ((devices_text(vm, profile), Tone.PLAIN),)),
            ("", ()),
            ("Address", ((vm.address or "unknown", Tone.PLAIN if vm.address else Tone.MUTED),)),
            ("Endpoint", _endpoint(vm)),
            ("Started", self._started(vm)),
        ]
        return facts

    def _load(self, vm: VM, *, current: bool) -> tuple[Piece, ...]:
        if not current or vm.cpu_percent is None:
            why = "unknown" if vm.active else "not running"
            return ((why, Tone.MUTED),)
        return ((f"{vm.cpu_percent:.1f} % of vCPUs  ", Tone.PLAIN), (self.history, Tone.BAR))

    def _started(self, vm: VM) -> tuple[Piece, ...]:
        if vm.started_at is None:
            return (("unknown (before monitoring)" if vm.active else "-", Tone.MUTED),)
        moment = datetime.fromtimestamp(vm.started_at, UTC)
        return (
            (f"{moment:%Y-%m-%d %H:%M} UTC", Tone.PLAIN),
            (f"  {show_age(max(0.0, self.now - vm.started_at))} ago", Tone.MUTED),
        )


def _kind(vm: VM) -> Piece:
    if vm.managed:
        return ("managed", Tone.PLAIN)
    return ("unmanaged: not created by the realm; changes need confirmation", Tone.WARN)


def _endpoint(vm: VM) -> tuple[Piece, ...]:
    if vm.endpoint is None:
        return (("none", Tone.MUTED),)
    translated = vm.address is not None and not vm.endpoint.startswith(f"{vm.address}:")
    return ((vm.endpoint, Tone.PLAIN), ("  translated by the host" if translated else "", Tone.MUTED))
