"""A story from the first host to the last VM, in a real terminal, on real hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.config.reader import load
from core.registry.hosts import HostRegistry
from tests.terminal import Terminal, terminal

from .parts.realm import hosts_of, write_configuration
from .parts.requirements import BRICK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .parts.lab import Lab

PATIENCE = 150.0
"""Seconds in which a guest without acceleration boots and registers, or moves, on a busy machine."""

POOLS = {"volumes": "story-vm", "drives": "story-drives", "bricks": "story-bricks", "snapshots": "story-snapshots"}


@pytest.fixture
def registry(lab: Lab, tmp_path: Path) -> Iterator[HostRegistry]:
    """Describe the lab as a realm whose pools no host has yet, with two of its three hosts."""
    main = write_configuration(tmp_path)
    realm = tmp_path / "realms/lab.conf"
    pools = "".join(f"{role}-pool = {name}\n" for role, name in POOLS.items())
    realm.write_text(realm.read_text().replace("network = default", "network = lab") + pools)
    hosts = HostRegistry(tmp_path / "registry.json")
    understood = load(main)
    for host in hosts_of(lab)[1:]:
        hosts.add(host, understood)
    yield hosts
    for lab_host in lab.hosts:
        for pool in POOLS.values():
            lab_host.virsh("pool-destroy", pool, check=False)
            lab_host.virsh("pool-undefine", pool, check=False)
    lab.hosts[0].run("rm", "-rf", str(lab.shared / "story"))


def add_the_first_host(screen: Terminal, lab: Lab) -> None:
    """By the wizard: its connection is tested on the way."""
    screen.wait_for("h2", "h3")
    screen.press("a")
    screen.wait_for("Add a host", "1 Name")
    screen.write("h1")
    screen.wait_for("root@h1/system")
    screen.press("Tab")
    screen.write(lab.hosts[0].uri)
    screen.wait_for(lab.hosts[0].uri[-20:])
    screen.press("C-s")
    screen.wait_for("Answers as h1", "libvirt", deadline=PATIENCE)
    screen.press("C-s")
    screen.wait_for("the realm's pools story-vm")
    screen.press("C-s")
    screen.wait_for("Static address", "base port")
    screen.press("C-s")
    screen.wait_for("Registry entry", "Add")
    screen.press("C-s")
    screen.wait_for("h1", "3 hosts", without="Add a host")


def set_up_the_pools(screen: Terminal, lab: Lab) -> None:
    """All four on all three hosts at once, with the proof that their storage is shared."""
    screen.press("4")
    screen.wait_for("VOLUMES", "SNAPSHOTS", "missing", without="connecting", deadline=PATIENCE)
    screen.press("C-a")
    screen.wait_for("3 marked")
    screen.press("S")
    screen.wait_for("Set up pools of realm lab", "[x] h1", "[x] h2", "[x] h3")
    screen.press("C-s")
    screen.wait_for("[x] volumes")
    screen.press("C-s")
    screen.wait_for("such as /shared/realms")
    screen.press("Tab")
    screen.write(str(lab.shared / "story"))
    screen.wait_for("shared/story ")
    screen.press("C-s")
    screen.wait_for("12 pools to create", deadline=PATIENCE)
    screen.press("C-s")
    screen.wait_for('<pool type="dir">', "<name>story-vm</name>")
    screen.press("C-s")
    screen.wait_for("Done: the pools are set up.", "✓ snapshots  h1, h2, h3: proved", deadline=PATIENCE)
    screen.press("C-s")
    screen.wait_for("3 hosts", "proved", without="Set up pools of realm")


def upload_a_brick(screen: Terminal) -> None:
    """Into the bricks pool, from this machine."""
    screen.press("c")
    screen.wait_for("The pools are empty")
    screen.press("u")
    screen.wait_for("Upload a brick")
    screen.write(str(BRICK))
    screen.press("Tab")
    screen.wait_for("brick.qcow2  ")
    screen.press("C-s")
    screen.wait_for("Contents ─ 1", "qcow2", deadline=PATIENCE)


def create_a_vm(screen: Terminal) -> None:
    """By the form, beside the ranking; it goes on once the guest answers."""
    screen.press("2")
    screen.wait_for("No VMs on the hosts that answer")
    screen.press("n")
    screen.wait_for("New VM", "brick.qcow2", "None of 3 hosts can take it: memory infinite")
    screen.write("web-1")
    screen.wait_for("web-1 ")
    screen.press("Tab", "Tab", "Tab", "Tab")
    screen.write("1")
    screen.press("Tab")
    screen.write("128 MiB")
    screen.wait_for("128 MiB", "3 of 3 hosts can take it")
    screen.press("C-s")
    screen.wait_for("web-1  h1", "registering", deadline=PATIENCE)
    screen.wait_for("web-1  h1", "running", "10.77.", without="1 task", deadline=PATIENCE)


def move_it(screen: Terminal) -> None:
    """Live, to the best other host, after the checks."""
    screen.press("m")
    screen.wait_for("Migrate web-1 on h1?", "h1 → h2, live: ready to migrate", deadline=PATIENCE)
    screen.press("C-s")
    screen.wait_for("web-1  h2", "running", without="1 task", deadline=PATIENCE)


def delete_it(screen: Terminal) -> None:
    """With its boot volume, once it is off."""
    screen.press("x")
    screen.wait_for("Force off web-1 on h2?")
    screen.press("C-s")
    screen.wait_for("web-1  h2    shut off", without="Force off web-1", deadline=PATIENCE)
    screen.press("Delete")
    screen.wait_for("Delete web-1 on h2?", "[ ] delete the boot volume", "keep   boot volume", deadline=PATIENCE)
    screen.press("Tab", "Tab", "Space")
    screen.wait_for("[x] delete the boot volume", "delete boot volume", deadline=PATIENCE)
    screen.press("C-s")
    screen.wait_for("No VMs on the hosts that answer", without="1 task", deadline=PATIENCE)


def test_from_the_first_host_to_the_last_vm(lab: Lab, registry: HostRegistry, tmp_path: Path) -> None:
    """What an administrator does in the first hour, on the screen alone; what came of it is really there."""
    places = ("--config", str(tmp_path / "ticrypt-vm.conf"), "--registry", str(tmp_path / "registry.json"))
    environment = {"HOME": str(tmp_path), "REALMS_VIRTUALIZATION": "qemu"}
    with terminal(tmp_path, *places, environment=environment) as screen:
        add_the_first_host(screen, lab)
        assert registry.host("h1").uri == lab.hosts[0].uri
        set_up_the_pools(screen, lab)
        assert all(set(POOLS.values()) <= set(host.virsh("pool-list", "--name").split()) for host in lab.hosts)
        upload_a_brick(screen)
        create_a_vm(screen)
        assert lab.hosts[0].virsh("list", "--name").split() == ["web-1"]
        move_it(screen)
        assert lab.hosts[0].virsh("list", "--all", "--name").split() == []
        assert lab.hosts[1].virsh("list", "--name").split() == ["web-1"]
        delete_it(screen)
        assert all(host.virsh("list", "--all", "--name").split() == [] for host in lab.hosts)
        volumes = lab.hosts[2].run("ls", str(lab.shared / "story/story-vm")).split()
        assert volumes == []
        screen.press("q")
        assert screen.wait_for_end() == 0
