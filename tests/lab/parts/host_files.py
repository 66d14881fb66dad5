"""The files of a lab host, written before it starts: its daemons' configuration, networks and pools."""

from __future__ import annotations

import shutil
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

POOLS = {
    "ticrypt-vm": "vm",
    "ticrypt-vm-drives": "drives",
    "ticrypt-bricks": "bricks",
    "ticrypt-vm-snapshots": "snapshots",
}
"""The realm's pools, by their default names, and their folders on the shared storage."""

# QEMU runs as root without confinement or cgroups: the namespaces have neither cgroups nor libvirt's users.
_QEMU = """
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
"""

# The sockets are in a folder of root's alone, so who reaches them needs no further proof.
_LIBVIRTD = """
host_uuid = "{machine}"
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_rw_perms = "0700"
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
"""

_SSHD = """
Port 22
ListenAddress {address}
HostKey {folder}/ssh_host_key
AuthorizedKeysFile /root/.ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
UseDNS no
MaxStartups 500
MaxSessions 500
PidFile none
Subsystem sftp internal-sftp
"""

# Hosts reach each other with the key that the realm reaches them with, as peer-to-peer migration asks for.
_SSH = """
Host *
  IdentityFile /root/.ssh/id_rsa
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
"""

# As the distribution's own: the same addresses on every host, reached through translation only.
_DEFAULT_NETWORK = """
<network>
  <name>default</name>
  <forward mode="nat"/>
  <bridge name="virbr0" stp="on" delay="0"/>
  <ip address="192.168.122.1" netmask="255.255.255.0">
    <dhcp><range start="192.168.122.2" end="192.168.122.254"/></dhcp>
  </ip>
</network>
"""

# Bridged across the hosts: a guest keeps its address in a migration.
_LAB_NETWORK = '<network><name>lab</name><forward mode="bridge"/><bridge name="br0"/></network>'


def machine_uuid(lab: int, number: int) -> str:
    """Libvirt's UUID of a host: libvirt refuses to migrate between hosts that share one."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"libvirt-realms-lab {lab} host {number}"))


def write_host_files(
    folder: Path,
    *,
    machine: str,
    address: str,
    host_key: Path,
    user_key: Path,
    hosts: Sequence[tuple[str, str]],
    shared: Path,
) -> None:
    """Write everything that `host.sh` expects in a host's folder."""
    for name in ("run", "etc", "lib", "cache", "log", "root/.ssh"):
        (folder / name).mkdir(parents=True)
    (folder / "run").chmod(0o755)
    (folder / "etc/qemu.conf").write_text(_QEMU)
    (folder / "etc/libvirtd.conf").write_text(_LIBVIRTD.format(machine=machine))
    (folder / "sshd_config").write_text(_SSHD.format(address=address, folder=folder))
    (folder / "hosts").write_text("127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in hosts))
    shutil.copy(host_key, folder / "ssh_host_key")
    shutil.copy(user_key, folder / "root/.ssh/id_rsa")
    shutil.copy(user_key.with_suffix(".pub"), folder / "root/.ssh/authorized_keys")
    (folder / "root/.ssh/config").write_text(_SSH)
    for name, xml in (("default", _DEFAULT_NETWORK), ("lab", _LAB_NETWORK)):
        (folder / f"{name}.xml").write_text(xml)
    commands = []
    for name in ("default", "lab"):
        commands += [f"net-define {folder}/{name}.xml", f"net-autostart {name}", f"net-start {name}"]
    for pool, subfolder in POOLS.items():
        commands += [
            f"pool-define-as {pool} dir --target {shared}/{subfolder}",
            f"pool-autostart {pool}",
            f"pool-start {pool}",
        ]
    (folder / "setup.virsh").write_text("; ".join(commands))
