"""What stands in the way of a migration: from what both sides say of themselves, one thing at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.diagnostics import Severity
from core.driver.migration.migration import ABSENT, MigrationMode, Sight, migration_address, peer_address
from core.driver.migration.survey import ActivePool, CpuMatch, SourceReport, TargetReport
from core.driver.migration.traits import read_traits
from core.errors import UsageError
from core.fleet.fleet import VMState
from core.operations.migration.checks import Findings, check_migration
from core.operations.migration.options import MigrationOptions, Obstacle, judged
from core.operations.migration.storage import StorageSharing, unshared_disks

DOMAIN = """
<domain type='kvm' id='3'>
  <name>web[x]</name>
  <uuid>4dea22b3-1d52-d8f3-2516-782e98ab3fa0</uuid>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><nvram>/var/lib/libvirt/qemu/nvram/web.fd</nvram></os>
  <cpu mode='custom'><model>EPYC</model></cpu>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <source file='/shared/vm/web.qcow2'/>
      <backingStore type='file'><source file='/shared/bricks/debian.qcow2'/><backingStore/></backingStore>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'><target dev='sda'/><readonly/></disk>
    <disk type='network' device='disk'><source protocol='rbd' name='pool/data'/><target dev='vdb'/></disk>
    <interface type='network'><source network='default'/><filterref filter='clean-traffic'/></interface>
  </devices>
</domain>
"""
RUNNING = Sight(active=True, defined=True, state=VMState.RUNNING)
OFF = Sight(active=False, defined=True, state=VMState.OFF)
POOLS = (ActivePool("ticrypt-vm", "/shared/vm"), ActivePool("ticrypt-bricks", "/shared/bricks"))
SHARED = StorageSharing(shared=True, how="seen there")

HERE = SourceReport(
    traits=read_traits(DOMAIN), sight=RUNNING, snapshots=0, checkpoints=0, saved=False, autostart=False, host_cpu="",
    libvirt=(9, 0, 0), hypervisor=(7, 2, 0), pools=POOLS, machine_uuid="1",
)  # fmt: skip
THERE = TargetReport(
    same_uuid=ABSENT, same_uuid_name="", same_name_uuid="", machine_refusal="", cpu=CpuMatch.SUITS, cpu_words="",
    networks={"default": (True, "bridge")}, libvirt=(9, 0, 0), hypervisor=(7, 2, 0), pools=POOLS, machine_uuid="2",
)  # fmt: skip
FOUND = Findings(
    source="h1", target="h2", here=HERE, there=THERE, storage={"/shared/vm": SHARED, "/shared/bricks": SHARED},
    target_address="tcp://10.0.0.2",
)  # fmt: skip
TLS = MigrationOptions(tls=True)


def obstacles(found: Findings, wish: MigrationOptions = TLS) -> list[Obstacle]:
    """Check, and give errors and warnings, worst first."""
    listed = judged(check_migration(found, wish), wish)
    return [each for each in listed if each.severity in (Severity.ERROR, Severity.WARNING)]


def here(**changes: object) -> Findings:
    """Return the findings with another source."""
    return replace(FOUND, here=replace(HERE, **changes))  # type: ignore[arg-type]


def there(**changes: object) -> Findings:
    """Return the findings with another target."""
    return replace(FOUND, there=replace(THERE, **changes))  # type: ignore[arg-type]


def with_devices(text: str) -> Findings:
    """Return the findings of a VM with more devices."""
    return here(traits=read_traits(DOMAIN.replace("</devices>", f"{text}</devices>")))


HOSTDEV = (
    "<hostdev mode='subsystem' type='pci'><source><address bus='0x41' slot='0x0' function='0x0'/></source></hostdev>"
)
USB = "<hostdev mode='subsystem' type='usb'/>"
FOLDER = "<filesystem type='mount'><source dir='/srv'/></filesystem>"


def test_nothing_stands_in_the_way_of_a_vm_whose_target_has_it_all() -> None:
    """Shared disks, network, filter, CPU and machine; memory encrypted."""
    assert obstacles(FOUND) == []


@pytest.mark.parametrize(
    ("found", "check", "says", "unless"),
    [
        (there(machine_refusal="the machine 'x' is not supported"), "machine", "cannot run it", ""),
        (there(cpu=CpuMatch.LACKS, cpu_words="missing avx512f"), "cpu", "missing avx512f", ""),
        (there(networks={}), "network", "has no network default", ""),
        (there(networks={"default": (False, "bridge")}), "network", "not active", ""),
        (there(missing_filters=frozenset({"clean-traffic"})), "network filter", "clean-traffic", ""),
        (there(same_uuid=RUNNING), "identity", "is active on h2 too", ""),
        (there(same_uuid=OFF, same_uuid_name="web"), "identity", "is off", "--force"),
        (there(same_name_uuid="other"), "name", "another VM", ""),
        (there(machine_uuid="1"), "hosts", "same machine", ""),
        (here(snapshots=2), "snapshots", "it has 2", ""),
        (here(checkpoints=1), "checkpoints", "it has 1", ""),
        (here(sight=replace(RUNNING, busy=True)), "state", "another job", ""),
        (here(sight=replace(RUNNING, state=VMState.CRASHED)), "state", "crashed", ""),
        (with_devices(HOSTDEV), "devices", "a PCI device of the host is assigned", ""),
        (with_devices(USB), "devices", "a usb device", ""),
        (with_devices(FOLDER), "devices", "the host's folder /srv", ""),
        (
            replace(FOUND, storage={**FOUND.storage, "/shared/bricks": StorageSharing(shared=None, how="no pool")}),
            "disks",
            "cannot verify",
            "--unsafe",
        ),
        (
            replace(FOUND, storage={**FOUND.storage, "/shared/vm": StorageSharing(shared=False, how="not seen")}),
            "disks",
            "local storage of h1",
            "--copy-storage",
        ),
        (replace(FOUND, target_address="tcp://127.0.0.1"), "address", "migrate to itself", ""),
    ],
)
def test_one_thing_that_is_missing_is_the_one_error(found: Findings, check: str, says: str, unless: str) -> None:
    """With what helps, and the option that goes past it, if there is one."""
    (obstacle,) = obstacles(found)
    assert (obstacle.severity, obstacle.check, obstacle.overridden_by) == (Severity.ERROR, check, unless)
    assert says in obstacle.what
    assert obstacle.blocks
    assert obstacle.mend


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (there(networks={"default": (True, "nat")}), "may lease again"),
        (there(networks={"default": (True, "")}), "isolated"),
        (there(hypervisor=(7, 1, 9)), "QEMU 7.1.9 on h2 is older than 7.2.0 on h1"),
        (there(libvirt=(8, 9, 0)), "libvirt 8.9.0"),
        (here(traits=replace(HERE.traits, cpu_mode="host-passthrough")), "host-passthrough"),
    ],
)
def test_a_risk_is_a_warning_and_no_more(found: Findings, says: str) -> None:
    """It is told, and the VM moves."""
    (obstacle,) = obstacles(found)
    assert obstacle.severity is Severity.WARNING
    assert says in obstacle.what


def test_memory_in_plain_text_is_said_and_tls_offered() -> None:
    """Unless libvirt's own connection carries it."""
    (obstacle,) = obstacles(FOUND, MigrationOptions())
    assert (obstacle.check, obstacle.severity) == ("encryption", Severity.WARNING)
    assert "--tls" in obstacle.mend
    assert obstacles(FOUND, MigrationOptions(mode=MigrationMode.TUNNELLED)) == []


def test_a_vm_that_is_off_may_have_devices_and_another_cpu() -> None:
    """Its saved state, though, would be lost, and its UEFI variables stay behind."""
    found = replace(
        with_devices(HOSTDEV), there=replace(THERE, cpu=CpuMatch.LACKS, networks={"default": (True, "nat")})
    )
    off = replace(found, here=replace(found.here, sight=OFF))
    assert [(each.check, each.severity) for each in obstacles(off)] == [
        ("cpu", Severity.WARNING),
        ("state", Severity.WARNING),
    ]
    saved = replace(off, here=replace(off.here, saved=True))
    assert obstacles(saved)[0].check == "saved state"


def test_a_running_vm_never_moves_offline() -> None:
    """The wish is refused with the command that makes it possible."""
    obstacle = obstacles(FOUND, MigrationOptions(offline=True))[0]
    assert (obstacle.check, obstacle.blocks) == ("state", True)
    assert "realms vms shutdown 'web[x]'" in obstacle.mend


def test_an_option_goes_past_its_own_error_only() -> None:
    """--unsafe does nothing about storage that is known not to be shared."""
    doubt = replace(FOUND, storage={**FOUND.storage, "/shared/vm": StorageSharing(shared=None, how="no pool")})
    known = replace(FOUND, storage={**FOUND.storage, "/shared/vm": StorageSharing(shared=False, how="not seen")})
    unsafe = MigrationOptions(tls=True, unsafe=True)
    assert [each.blocks for each in obstacles(doubt, unsafe)] == [False]
    assert [each.blocks for each in obstacles(known, unsafe)] == [True]
    assert [each.blocks for each in obstacles(known, MigrationOptions(tls=True, copy_storage=True))] == [False]


def test_disks_that_nobody_knows_to_be_shared_are_copied() -> None:
    """Empty drives and network disks aren't disks of the host; an overlay needs its brick to be shared too."""
    disks = HERE.traits.disks
    assert [disk.target for disk in disks] == ["vda", "sda", "vdb"]
    assert list(unshared_disks(disks, POOLS, FOUND.storage)) == []
    part = {**FOUND.storage, "/shared/bricks": StorageSharing(shared=None, how="")}
    assert [disk.target for disk in unshared_disks(disks, POOLS, part)] == ["vda"]


@pytest.mark.parametrize(
    "options",
    [
        {"offline": True, "tls": True},
        {"offline": True, "copy_storage": True},
        {"mode": MigrationMode.TUNNELLED, "tls": True},
        {"mode": MigrationMode.TUNNELLED, "copy_storage": True},
        {"mode": MigrationMode.TUNNELLED, "migrate_uri": "tcp://h2"},
        {"migrate_uri": "h2"},
        {"migrate_uri": "unix:///tmp/x"},
        {"peer_uri": "qemu+ssh://h2/system"},
    ],
)
def test_options_that_exclude_each_other_are_refused(options: dict[str, object]) -> None:
    """Before anything is asked of a host."""
    with pytest.raises(UsageError):
        MigrationOptions(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("qemu+ssh://root@h2.example:2222/system?keyfile=/k", "tcp://h2.example"),
        ("qemu+tls://[fe80::2]/system", "tcp://[fe80::2]"),
        ("qemu:///system", ""),
        ("qemu+unix:///system?socket=/run/x", ""),
    ],
)
def test_the_address_is_that_of_the_targets_uri(uri: str, address: str) -> None:
    """A local URI names none: the target says it itself."""
    assert migration_address(uri) == address


def test_files_of_this_machine_are_no_part_of_what_the_source_is_given() -> None:
    """It has keys of its own; all else stays."""
    given = "qemu+ssh://root@h2:2222/system?keyfile=/root/k&no_verify=1&no_tty=1&known_hosts=/x"
    assert peer_address(given) == "qemu+ssh://root@h2:2222/system?no_verify=1"


TIES = Path(__file__).parents[2] / "driver/data/ties"


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("nbd-localhost", True, "the nbd server of the host itself"),
        ("serial-dev", True, "/dev/ttyUSB0"),
        ("tpm-passthrough", True, "/dev/tpm0"),
        ("vdpa-nic", True, "/dev/vhost-vdpa-0"),
        ("vhostuser-disk", True, "a disk of type vhostuser"),
        ("rbd-secret", True, "no secret aaaaaaaa-0000-4000-8000-000000000001"),
        ("nvdimm", False, "/mnt/pmem0/nv1"),
        ("../nvme-disk", True, "a disk of type nvme"),
    ],
)
def test_what_ties_a_vm_to_its_host_is_told(name: str, error: bool, says: str, live: bool) -> None:
    """As an error where no other host can have it, else as a warning; off as well as live."""
    traits = read_traits((TIES / f"{name}.xml").read_text())
    secrets = frozenset(traits.ties.secrets)
    found = replace(here(traits=traits, sight=RUNNING if live else OFF), there=replace(THERE, missing_secrets=secrets))
    (told,) = [each for each in obstacles(found) if says in each.what]
    assert told.severity is (Severity.ERROR if error else Severity.WARNING)
    assert not told.overridden_by


@pytest.mark.parametrize("kind", ["nvme", "vhostuser", "vhostvdpa"])
def test_a_disk_that_is_no_file_is_never_copied(kind: str) -> None:
    """--copy-storage can't take it along, and says so."""
    source = (
        "<source type='pci'><address bus='0xc1' slot='0' function='0'/></source>" if kind == "nvme" else "<source/>"
    )
    found = with_devices(f"<disk type='{kind}' device='disk'>{source}<target dev='vdx'/></disk>")
    disk = found.here.traits.disks[-1]
    assert (disk.is_empty, disk.can_be_copied) == (False, False)
    assert [each.severity for each in obstacles(found, MigrationOptions(copy_storage=True)) if kind in each.what] == [
        Severity.ERROR
    ]


AUTH = "<auth username='u'><secret type='iscsi' usage='k'/></auth>"
NBD = "<source protocol='nbd' name='x'><host name='{}' port='10809'/></source>"


@pytest.mark.parametrize(
    ("device", "held", "secrets"),
    [
        (f"<disk type='network'>{NBD.format('127.0.0.1')}</disk>", 1, ()),
        (f"<disk type='network'>{NBD.format('0:0:0:0:0:0:0:1')}</disk>", 1, ()),
        (f"<disk type='network'>{NBD.format('localhosted.example')}</disk>", 0, ()),
        (f"<disk type='file'><backingStore type='network'>{NBD.format('::1')}</backingStore></disk>", 1, ()),
        ("<disk type='network'><source protocol='nbd'><host transport='unix' socket='/s'/></source></disk>", 1, ()),
        (f"<hostdev type='scsi'><source protocol='iscsi'><host name='::1'/>{AUTH}</source></hostdev>", 1, ("k",)),
        ("<tpm><backend type='emulator'><encryption secret='1-2'/></backend></tpm>", 0, ("1-2",)),
    ],
)  # fmt: skip
def test_local_servers_and_secrets_are_found_wherever_they_stand(
    device: str, held: int, secrets: tuple[str, ...]
) -> None:
    """In disks, their layers and SCSI devices; a loopback by any of its names, and by no other."""
    ties = with_devices(device).here.traits.ties
    assert (len(ties.held), ties.secrets) == (held, secrets)
