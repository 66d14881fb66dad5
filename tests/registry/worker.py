"""What the other processes do in the tests of the registry: `worker.py ACTION FILE [ARGUMENT...]`."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from core.config.model import Configuration
from core.errors import RealmsError, RegistryReplaced
from core.hardware import HardwareProfile, PciAddress
from core.hosts import Host, HostState
from core.realms import Realm
from core.registry.hosts import HostRegistry
from core.registry.transactions import Transaction
from core.reservations import Reservation
from core.workers import this_worker

CAPACITY = 32 * 2**30
DEVICES = tuple(PciAddress(0, 0x41, slot, 0) for slot in range(5))
CONFIGURATION = Configuration(
    hardware_profiles={
        name: HardwareProfile(id=name, name=name, cores=8, memory_bytes=CAPACITY, cost_function="f")
        for name in ("plain", "gpu")
    },
    realms={"main": Realm(id="main", name="Main")},
)


def say(word: object) -> None:
    """Tell the test."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def described(name: str) -> Host:
    """Describe a host by its name alone."""
    return Host(name=name, realm="main", uri=f"qemu+ssh://root@{name}/system", profile="plain")


def list_hosts(registry: HostRegistry) -> None:
    """Count the hosts."""
    say(len(registry.hosts()))


def disable(registry: HostRegistry, name: str) -> None:
    """Disable a host."""
    registry.set_state(name, HostState.DISABLED)


def limited(registry: HostRegistry, name: str) -> None:
    """Change a host where no file can grow past 100 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    registry.set_state(name, HostState.NO_SCHEDULING)


def hold(registry: HostRegistry) -> None:
    """Hold the lock until standard input ends."""
    with registry.transaction():
        say("held")
        sys.stdin.read()


def churn(registry: HostRegistry, number: str, count: str) -> None:
    """Add hosts; of every three remove one, and rename and edit the others."""
    for i in range(int(count)):
        registry.add(described(f"h{number}-{i}"), CONFIGURATION)
        if i % 3 == 0:
            with registry.transaction() as changes:
                changes.set_state(f"h{number}-{i}", HostState.DISABLED)
                changes.remove(f"h{number}-{i}")
            continue
        old = registry.host(f"h{number}-{i}")
        registry.replace(old, replace(old, name=f"k{number}-{i}", profile="gpu"), CONFIGURATION)


def race(registry: HostRegistry, number: str, count: str) -> None:
    """Reserve a gigabyte, and a device while there is one, for each of several VMs that fits; print how many did."""
    taken = 0
    for i in range(int(count)):
        with registry.transaction() as changes:
            present = changes.reservations
            if sum(reservation.memory_bytes for reservation in present) + 2**30 > CAPACITY:
                continue
            used = {address for reservation in present for address in reservation.devices}
            free = tuple(address for address in DEVICES if address not in used)
            uuid = f"{number}-{i}"
            changes.reserve(
                Reservation(
                    uuid=uuid, vm=uuid, host="h1", vcpus=1, memory_bytes=2**30, devices=free[:1], owner=number,
                    expires_at=4e9,
                )
            )  # fmt: skip
            taken += 1
    say(taken)


def grow(registry: HostRegistry, number: str, count: str) -> None:
    """Add hosts, and delete the lock in the midst of each change; print each that was acknowledged."""
    lock = registry.path.with_name(f"{registry.path.name}.lock")
    for i in range(int(count)):
        first = iter([True])

        def work(changes: Transaction, name: str = f"g{number}-{i}", first: Iterator[bool] = first) -> None:
            if next(first, False):
                lock.unlink(missing_ok=True)
            changes.add(described(name), CONFIGURATION)

        while True:
            with suppress(RegistryReplaced):
                registry.change(work)
                break
        say(f"g{number}-{i}")


def keep(registry: HostRegistry) -> None:
    """Reserve a VM for this process, and live until standard input ends or the process is killed."""
    wanted = Reservation(
        uuid="kept", vm="kept", host="h1", vcpus=1, memory_bytes=2**30, owner="keeper", worker=this_worker()
    )
    registry.change(lambda changes: changes.reserve(wanted))
    say("reserved")
    signal.pause()


def scribble(registry: HostRegistry) -> None:
    """Add hosts without end, and print a line after each."""
    number = 0
    while True:
        number += 1
        registry.add(described(f"s{number}"), CONFIGURATION)
        say(number)


ACTIONS = {
    "list": list_hosts,
    "disable": disable,
    "limited": limited,
    "hold": hold,
    "churn": churn,
    "race": race,
    "grow": grow,
    "keep": keep,
    "scribble": scribble,
}

if __name__ == "__main__":
    if groups := os.environ.get("AS_NOBODY_IN"):  # here and not earlier: the interpreter may be root's alone
        os.setgroups([int(groups)])
        os.setgid(65534)
        os.setuid(65534)
    try:
        ACTIONS[sys.argv[1]](HostRegistry(Path(sys.argv[2])), *sys.argv[3:])
    except RealmsError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(error.exit_code)
