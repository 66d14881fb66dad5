"""A ledger's hosts as arrays, by the tariff that they share, for what is asked of all hosts at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.curves import INFINITY
from core.placement.arrays.vectors import Doubles, term_costs, total_costs
from core.placement.engine.ledger import HostLine, Ledger
from core.placement.engine.request import Request
from core.placement.engine.tariff import Tariff

_EXACT = 2**53
"""Whole numbers up to this are doubles without loss."""


class HostGroup:
    """Hosts of one tariff. `hosts` are their indexes in the ledger; one row of `devices` and `owned` for each kind."""

    def __init__(self, tariff: Tariff, lines: list[HostLine], hosts: list[int]) -> None:
        self.tariff = tariff
        self.hosts = np.array(hosts, dtype=np.intp)
        self.vms = np.array([float(line.vms) for line in lines])
        self.vcpus = np.array([float(line.vcpus) for line in lines])
        self.memory = np.array([float(line.memory) for line in lines])
        self.devices = np.array([line.devices for line in lines], dtype=np.float64).reshape(len(lines), -1).T.copy()
        self.owned = np.array([line.owned for line in lines], dtype=np.float64).reshape(len(lines), -1).T.copy()

    def refresh(self, row: int, line: HostLine) -> None:
        """Take over what the ledger now says of one of the hosts."""
        self.vms[row], self.vcpus[row], self.memory[row] = line.vms, line.vcpus, line.memory
        self.devices[:, row] = line.devices

    def terms_with(
        self, request: Request, rows: NDArray[np.intp] | slice, more: Doubles
    ) -> tuple[dict[str, Doubles | float], Doubles]:
        """Return the terms and the cost of some of the hosts with so many such VMs more.

        `more` has a row for each of these hosts, or one column for all of them. Costs are infinite where there are
        not devices enough.
        """
        tariff = self.tariff
        vms = self.vms[rows][:, None] + more
        vcpus = self.vcpus[rows][:, None] + more * float(request.vcpus)
        memory = self.memory[rows][:, None] + more * float(request.memory_bytes)
        devices = []
        lacking: NDArray[np.bool_] | None = None
        for place, kind in enumerate(tariff.kinds):
            used = self.devices[place][rows][:, None] + more * float(request.devices.get(kind, 0))
            devices.append(used)
            if kind in request.devices:
                short = used > self.owned[place][rows][:, None]
                lacking = short if lacking is None else lacking | short
        terms = term_costs(tariff, vms, vcpus, memory, devices)
        cost = total_costs(tariff, terms, vms.shape)
        if lacking is not None:
            cost[lacking] = INFINITY
        if any(kind not in tariff.kinds for kind in request.devices):
            cost[...] = INFINITY
        return terms, cost


class PackedFleet:
    """The hosts of a ledger whose use is known, as they stand in it now; of later changes `refresh` must be told."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        by_tariff: dict[int, list[int]] = {}
        for host, line in enumerate(ledger.hosts):
            if line.tariff is not None:
                by_tariff.setdefault(id(line.tariff), []).append(host)
        self.groups: list[HostGroup] = []
        for hosts in by_tariff.values():
            lines = [ledger.hosts[host] for host in hosts]
            if (tariff := lines[0].tariff) is not None:
                self.groups.append(HostGroup(tariff, lines, hosts))
        self.cost = np.array([line.cost for line in ledger.hosts])
        """Cost of each host now."""
        self.vms = np.array([line.vms for line in ledger.hosts], dtype=np.int64)
        """Number of VMs of each host."""
        self._most_memory = max((line.memory for line in ledger.hosts), default=0)
        self._most_vcpus = max((line.vcpus for line in ledger.hosts), default=0)
        self._able: dict[tuple[str | None, bool], NDArray[np.bool_]] = {}

    def refresh(self, host: int) -> None:
        """Take over what the ledger now says of a host."""
        line = self.ledger.hosts[host]
        self.cost[host] = line.cost
        self.vms[host] = line.vms
        self._most_memory = max(self._most_memory, line.memory)
        self._most_vcpus = max(self._most_vcpus, line.vcpus)
        for group in self.groups:
            if group.tariff is line.tariff:
                group.refresh(int(np.searchsorted(group.hosts, host)), line)

    def is_exact(self, request: Request, count: int = 1) -> bool:
        """Return whether so many VMs more stay below the whole numbers that doubles hold without loss."""
        most = max(self._most_memory + count * request.memory_bytes, self._most_vcpus + count * request.vcpus)
        return most + sum(request.devices.values()) * count < _EXACT

    def able(self, request: Request) -> NDArray[np.bool_]:
        """Return of each host whether only its cost or its devices can keep it from taking the VM."""
        asked = (request.realm, request.needs_drives_pool)
        if asked not in self._able:
            able = np.zeros(len(self.ledger.hosts), dtype=np.bool_)
            able[list(self.ledger.candidates(request))] = True
            self._able[asked] = able
        return self._able[asked]
