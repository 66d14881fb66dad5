"""The check before a migration: what stands in its way, how serious that is, and what helps (specification, section 9).

Pure: from what both sides said of themselves to a list of obstacles.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.codes import Check
from core.driver.migration.migration import MigrationMode
from core.driver.migration.survey import CpuMatch, SourceReport, TargetReport
from core.driver.migration.traits import MovedDisk, Nic
from core.fleet.fleet import VMState
from core.operations.migration.options import MigrationOptions, Obstacle, error, fine, info, warning
from core.operations.migration.storage import StorageSharing, folders_of
from core.text import shell_command

_NOT_PORTABLE = frozenset({"nat", "route", ""})
"""Networks that each host has for itself: an address on one means nothing on another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that the check goes by: names of the hosts, and what each said."""

    source: str
    target: str
    here: SourceReport
    there: TargetReport
    storage: Mapping[str, StorageSharing]
    target_address: str
    """Where the source's QEMU would connect to; empty where libvirt decides."""


def check_migration(found: Findings, wish: MigrationOptions) -> Iterator[Obstacle]:
    """Return everything that was checked, in no order. Whether it moves live is told by the domain's state now."""
    live = found.here.sight.active
    yield from _state(found, wish)
    yield from _identity(found)
    yield from _software(found, live=live)
    yield from _cpu(found, live=live)
    for nic in found.here.traits.nics:
        yield from _nic(nic, found, live=live)
    yield from _devices(found, live=live)
    yield from _ties(found)
    for disk in found.here.traits.disks:
        yield from _disk(disk, found, live=live)
    yield from _beside(found, live=live)
    if live:
        yield from _stream(found, wish)


def _state(found: Findings, wish: MigrationOptions) -> Iterator[Obstacle]:
    here, name = found.here, found.here.traits.name
    if not here.sight.active and not here.sight.defined:
        yield error(Check.STATE, f"{found.source} no longer has it", "realms vms list shows where it is")
    if here.sight.active and wish.offline:
        hint = f"shut it down first ({shell_command('realms vms shutdown', name)}), or leave --offline out"
        yield error(Check.STATE, f"it is {here.sight.state.value}: offline migration needs a VM that is off", hint)
    if here.sight.state in (VMState.CRASHED, VMState.SHUTTING_DOWN, VMState.SUSPENDED) and here.sight.active:
        yield error(
            Check.STATE,
            f"it is {here.sight.state.value}",
            f"force it off ({shell_command('realms vms off', name)}), then move it",
        )
    if here.sight.active and here.sight.busy:
        yield error(
            Check.STATE, "another job is running on it: a migration, backup or copy", "wait until it has finished"
        )
    if not here.sight.active and here.saved:
        discard = shell_command("realms vms discard-save", name)
        mend = f"start it on {found.source}, or give up its saved memory: {discard}"
        yield error(Check.SAVED_STATE, "its saved state, with its memory, would stay behind", mend)
    for number, kind, check in (
        (here.snapshots, "snapshot", Check.SNAPSHOTS),
        (here.checkpoints, "checkpoint", Check.CHECKPOINTS),
    ):
        if number:
            delete = shell_command(f"virsh {kind}-delete", name, kind.upper())
            mend = f"on {found.source}: {delete} (--metadata keeps the data)"
            yield error(check, f"libvirt cannot move a VM with {kind}s; it has {number}", mend)


def _identity(found: Findings) -> Iterator[Obstacle]:
    there, traits = found.there, found.here.traits
    if there.machine_uuid is not None and there.machine_uuid == found.here.machine_uuid:
        yield error(Check.HOSTS, f"{found.source} and {found.target} are the same machine", "remove one of them")
        return
    if there.same_uuid.active:
        look = shell_command("virsh -c", f"URI-OF-{found.target}", "domstate", traits.uuid, "--reason")
        mend = f"{look} shows more; stop one of the two"
        yield error(Check.IDENTITY, f"a VM of this UUID is active on {found.target} too", mend)
    elif there.same_uuid.defined:
        what = f"{found.target} already defines this VM as {there.same_uuid_name}, which is off"
        yield error(Check.IDENTITY, what, "use --force to replace it", unless="--force")
    if there.same_name_uuid and there.same_name_uuid != traits.uuid:
        what = f"another VM on {found.target} has the name {traits.name}"
        yield error(Check.NAME, what, f"rename one of them: {shell_command('virsh domrename', traits.name)} NEW")


def _software(found: Findings, *, live: bool) -> Iterator[Obstacle]:
    here, there = found.here, found.there
    if there.machine_refusal:
        yield error(Check.MACHINE, f"{found.target} cannot run it: {there.machine_refusal}", "upgrade QEMU there")
    else:
        yield fine(Check.MACHINE, f"{found.target} knows machine type {here.traits.machine or 'default'}")
    for what, mine, theirs in (("libvirt", here.libvirt, there.libvirt), ("QEMU", here.hypervisor, there.hypervisor)):
        if live and theirs < mine:
            text = f"{what} {_dotted(theirs)} on {found.target} is older than {_dotted(mine)} on {found.source}"
            yield warning(Check.VERSIONS, text, "migration to older versions is untested: upgrade the target")


def _cpu(found: Findings, *, live: bool) -> Iterator[Obstacle]:
    there, mode = found.there, found.here.traits.cpu_mode
    match there.cpu:
        case CpuMatch.SUITS:
            yield fine(Check.CPU, f"the CPU of {found.target} provides all guest CPU features")
            if live and mode == "host-passthrough":
                what = "the guest uses host-passthrough: a different firmware or microcode may matter"
                yield warning(Check.CPU, what, "use a named CPU model for migration")
        case CpuMatch.LACKS if live:
            mend = "move it to a host of the same kind, or shut it down and move it offline"
            yield error(Check.CPU, f"the CPU of {found.target} lacks guest CPU features: {there.cpu_words}", mend)
        case CpuMatch.LACKS:
            yield warning(
                Check.CPU, f"it may not start on {found.target}: {there.cpu_words}", "choose another CPU model"
            )
        case CpuMatch.UNKNOWN:
            yield info(Check.CPU, f"cannot compare the CPUs: {there.cpu_words}")


def _nic(nic: Nic, found: Findings, *, live: bool) -> Iterator[Obstacle]:
    target = found.target
    if nic.filter and nic.filter in found.there.missing_filters:
        dump = shell_command("virsh nwfilter-dumpxml", nic.filter)
        mend = f"define it on {target} with virsh nwfilter-define: {dump} on {found.source} prints it"
        yield error(Check.NETWORK_FILTER, f"{target} has no network filter {nic.filter}", mend)
    if nic.kind == "network":
        yield from _network(nic, found, live=live)
    elif nic.kind in ("bridge", "direct") and found.there.bridges is not None:
        if nic.source not in found.there.bridges:
            yield error(
                Check.NETWORK, f"{target} has no network device {nic.source}", "create one of the same name there"
            )
        else:
            yield fine(Check.NETWORK, f"{target} has {nic.source}")


def _network(nic: Nic, found: Findings, *, live: bool) -> Iterator[Obstacle]:
    target, state = found.target, found.there.networks.get(nic.source)
    if state is None:
        yield error(Check.NETWORK, f"{target} has no network {nic.source}", f"define and start it on {target}")
        return
    active, forward = state
    if not active:
        mend = shell_command("virsh net-start", nic.source)
        yield error(Check.NETWORK, f"network {nic.source} is not active on {target}", mend)
    elif live and forward in _NOT_PORTABLE:
        what = (
            f"network {nic.source} is {forward or 'isolated'}, local to each host: the guest keeps an address "
            f"that {target} may lease again, and its open connections break"
        )
        yield warning(Check.NETWORK, what, "renew its lease after the move; a bridged network avoids this")
    else:
        yield fine(Check.NETWORK, f"network {nic.source} is active on {target}")


def _devices(found: Findings, *, live: bool) -> Iterator[Obstacle]:
    traits = found.here.traits
    if traits.pci_devices and live:
        what = f"{traits.pci_devices} PCI devices of the host are assigned to it: their state can't be moved"
        first = shell_command("realms vms shutdown", traits.name)
        mend = f"{first}, then move it offline: its devices are placed again by type"
        yield error(Check.DEVICES, what.replace("1 PCI devices of the host are", "a PCI device of the host is"), mend)
    for thing in traits.bound_devices:
        if live:
            yield error(Check.DEVICES, f"it uses {thing}, which can't be moved", "detach it, or move it offline")
        else:
            yield warning(
                Check.DEVICES, f"it uses {thing}: {found.target} must have that too", "check before starting it"
            )


def _ties(found: Findings) -> Iterator[Obstacle]:
    ties, target = found.here.traits.ties, found.target
    for thing in ties.held:
        yield error(Check.DEVICES, f"it uses {thing}, which only {found.source} has", "detach it")
    for thing in ties.needed:
        yield warning(Check.DEVICES, f"it needs {thing}: {target} must have the same", "check before moving it")
    if ties.vsock is not None:
        what = f"it insists on vsock context id {ties.vsock}: no other VM of {target} may have it"
        yield warning(Check.DEVICES, what, "use <cid auto='yes'/>")
    for secret in ties.secrets:
        if secret in found.there.missing_secrets:
            dump = shell_command("virsh secret-dumpxml", secret)
            fix = f"define it on {target} with virsh secret-define: {dump} on {found.source} prints it"
            yield error(Check.DISKS, f"{target} has no secret {secret}, which it needs", fix)


def _disk(disk: MovedDisk, found: Findings, *, live: bool) -> Iterator[Obstacle]:
    if disk.is_empty or disk.kind == "network":
        return
    label = f"{disk.target} ({disk.place or '/'.join(disk.volume or ()) or disk.kind})"
    if disk.kind not in ("file", "block", "volume"):
        what = f"{label}: a disk of type {disk.kind} is local to {found.source} and can't be copied"
        yield error(Check.DISKS, what, "detach it")
        return
    folders = folders_of(disk, found.here.pools)
    storage = [found.storage[folder] for folder in folders]
    if storage and all(each.shared for each in storage):
        how = "; ".join(dict.fromkeys(each.how for each in storage))
        yield fine(Check.DISKS, f"{label}: both hosts see it: {how}")
        return
    copyable = live and disk.can_be_copied
    doubt = next((each for each in storage if not each.shared), None)
    how = doubt.how if doubt is not None else f"cannot verify that {found.target} has the same"
    if doubt is not None and doubt.shared is False:
        yield error(Check.DISKS, f"{label} is on local storage of {found.source}: {how}",
                    "use --copy-storage to copy it" if copyable else "put it on shared storage",
                    unless="--copy-storage" if copyable else "")  # fmt: skip
        return
    mend = f"set the pool up on both hosts; use --unsafe if you are sure that {found.target} sees the same data"
    if copyable:
        mend += "; use --copy-storage if it doesn't"
    yield error(Check.DISKS, f"{label}: cannot verify that it is shared: {how}", mend, unless="--unsafe")


def _beside(found: Findings, *, live: bool) -> Iterator[Obstacle]:
    traits = found.here.traits
    for path in traits.files:
        yield info(Check.FILES, f"{found.target} must have {path} too")
    if not live:
        for thing in traits.private_state:
            what = f"{thing} stay behind: they are in a local file of {found.source}"
            yield warning(Check.STATE, what.replace("TPM stay", "TPM stays"), "migrate it live, or copy them manually")


def _stream(found: Findings, wish: MigrationOptions) -> Iterator[Obstacle]:
    host = found.target_address.partition("://")[2].strip("[]").partition(":")[0]
    if wish.mode is MigrationMode.CLIENT and (host == "localhost" or host.startswith("127.")):
        what = f"{found.source} would migrate to itself: {found.target} is reached through {host} from here"
        yield error(Check.ADDRESS, what, "set --migrate-uri tcp://ADDRESS to where QEMU reaches the target")
    if wish.mode is MigrationMode.CLIENT and not found.target_address:
        yield info(Check.ADDRESS, f"{found.target} chooses the address itself", "--migrate-uri overrides that")
    if wish.mode is MigrationMode.TUNNELLED:
        yield fine(Check.ENCRYPTION, "memory goes through libvirt's connection between the hosts")
    elif wish.tls:
        yield fine(Check.ENCRYPTION, "memory is encrypted by TLS, with the certificates of the hosts' QEMU")
    else:
        what = "memory is sent unencrypted over the network"
        yield warning(
            Check.ENCRYPTION, what, "use --tls to encrypt it (needs certificates on the hosts), or --mode tunnelled"
        )


def _dotted(version: tuple[int, int, int]) -> str:
    return ".".join(map(str, version))
