"""The areas of the application, in the order of their number keys."""

from collections.abc import Callable
from dataclasses import dataclass

from textual.screen import Screen


@dataclass(frozen=True, slots=True)
class Area:
    """An area: its mode, number key, title, and what it shows. Its screen is built on the first visit."""

    id: str
    key: str
    title: str
    help: str
    build: Callable[[], Screen[None]]


def _hosts() -> Screen[None]:
    from tui.screens.hosts.area import HostsScreen

    return HostsScreen()


def _vms() -> Screen[None]:
    from tui.screens.vms.area import VMsScreen

    return VMsScreen()


def _costs() -> Screen[None]:
    from tui.screens.costs.area import CostsScreen

    return CostsScreen()


def _pools() -> Screen[None]:
    from tui.screens.pools.area import PoolsScreen

    return PoolsScreen()


def _plans() -> Screen[None]:
    from tui.screens.plans.area import PlansScreen

    return PlansScreen()


def _tasks() -> Screen[None]:
    from tui.screens.tasks.area import TasksScreen

    return TasksScreen()


AREAS = (
    Area("hosts", "1", "Hosts", "Hosts: usage, cost and connection.", _hosts),
    Area("vms", "2", "VMs", "VMs of all hosts.", _vms),
    Area("costs", "3", "Costs", "Placement costs: which host gets a VM, and what-if.", _costs),
    Area("pools", "4", "Pools", "Storage pools on each host: state, free space, sharing, contents.", _pools),
    Area("plans", "5", "Plans", "Capacity, host failure, drain, rebalance, make room.", _plans),
    Area("tasks", "6", "Tasks", "Tasks started here: steps, progress, result.", _tasks),
)
