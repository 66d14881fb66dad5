"""Checks of what a realm needs on each of its hosts: pools, network, network filter, address translation."""

import errno
import socket
from collections.abc import Iterator, Sequence

from core.codes import Check
from core.driver.hosts.survey import HostSurvey, SurveyedNetwork, SurveyedPool
from core.fleet.fleet import PoolState
from core.hosts import StaticAddress
from core.operations.findings import Checkup, Finding
from core.realms import Realm
from core.text import nearest, shell_command
from core.units import show_size

ALMOST_FULL = 0.05
"""Free part of a pool below which it is called almost full."""

_CONNECT_SECONDS = 3.0


def virsh(uri: str, *words: str) -> str:
    """Write the virsh command that one can paste."""
    return shell_command("virsh -c", uri, *words)


def check_pools(at: Checkup, realm: Realm, survey: HostSurvey) -> Iterator[Finding]:
    """Check the realm's four pools (specification, section 10); that they are shared can only be compared later."""
    pools = {pool.name: pool for pool in survey.pools}
    missing = [name for name in realm.pools_among(pools) if name not in pools]
    if missing:
        what = f"the realm's pool{'s' if len(missing) > 1 else ''} {', '.join(missing)} {_are(missing)} missing"
        mend = shell_command("realms pools setup --host", at.host, "--path", "FOLDER")
        yield at.error(Check.POOLS, what, mend)
    good = True
    for name in realm.pools_among(pools):
        if name in pools:
            found = list(_check_pool(at, pools[name], survey.uri))
            good = good and not found
            yield from found
    if good and not missing:
        yield at.ok(Check.POOLS, "all four are active and autostart")


def _are(names: Sequence[str]) -> str:
    return "are" if len(names) > 1 else "is"


def _check_pool(at: Checkup, pool: SurveyedPool, uri: str) -> Iterator[Finding]:
    if pool.state is not PoolState.ACTIVE:
        yield at.error(Check.POOLS, f"pool {pool.name} is inactive", virsh(uri, "pool-start", pool.name))
    elif pool.capacity_bytes and pool.available_bytes < ALMOST_FULL * pool.capacity_bytes:
        free = f"{show_size(pool.available_bytes)} of {show_size(pool.capacity_bytes)}"
        yield at.warning(
            Check.POOLS, f"pool {pool.name} is almost full: {free} free", "free space or enlarge the storage"
        )
    if not pool.persistent:
        mend = shell_command("realms pools setup --host", at.host, "--path", pool.path or "FOLDER")
        yield at.warning(Check.POOLS, f"pool {pool.name} is transient: it disappears when libvirtd restarts", mend)
    elif not pool.autostart:
        message = f"pool {pool.name} has autostart off"
        yield at.warning(Check.POOLS, message, virsh(uri, "pool-autostart", pool.name))


def check_network(at: Checkup, realm: Realm, survey: HostSurvey) -> Iterator[Finding]:
    """Check the network that the realm's VMs are connected to."""
    network = next((each for each in survey.networks if each.name == realm.network), None)
    if network is None:
        others = ", ".join(sorted(each.name for each in survey.networks)) or "none"
        mend = virsh(survey.uri, "net-define", "FILE") + f"; or set another network in realm {realm.id}"
        yield at.error(Check.NETWORK, f"the realm's network {realm.network} is missing (there: {others})", mend)
        return
    yield from _check_network(at, network, survey.uri)


def _check_network(at: Checkup, network: SurveyedNetwork, uri: str) -> Iterator[Finding]:
    name, good = network.name, True
    if not network.active:
        yield at.error(Check.NETWORK, f"the network {name} is not active", virsh(uri, "net-start", name))
        good = False
    if not network.persistent:
        yield at.warning(Check.NETWORK, f"the network {name} is transient: it disappears when libvirtd restarts",
                         virsh(uri, "net-define", "FILE"))  # fmt: skip
        good = False
    elif not network.autostart:
        yield at.warning(Check.NETWORK, f"the network {name} has autostart off", virsh(uri, "net-autostart", name))
        good = False
    if good:
        yield at.ok(Check.NETWORK, f"{name} is active and autostarts")


def check_filter(at: Checkup, realm: Realm, survey: HostSurvey) -> Iterator[Finding]:
    """Check the realm's network filter, where it has one: VMs that name it could not start."""
    wanted = realm.network_filter
    if wanted is None:
        return
    if survey.filters is None:
        yield at.info(
            Check.NETWORK_FILTER, "libvirt there has no network filters (the driver is missing or not running)"
        )
    elif wanted in survey.filters:
        yield at.ok(Check.NETWORK_FILTER, f"{wanted} is defined")
    else:
        near = nearest(wanted, sorted(survey.filters))
        message = f"the realm's network filter {wanted} is not defined" + (f" ({near} is)" if near else "")
        yield at.error(Check.NETWORK_FILTER, message, virsh(survey.uri, "nwfilter-define", "FILE"))


def check_translation(
    at: Checkup, translation: StaticAddress, addresses: Sequence[str], budget: float
) -> Iterator[Finding]:
    """Try the static address translation, best at a guest that runs; blocks up to `budget` seconds.

    Without a guest that answers, a refusal still shows that the way to the host is open.
    """
    check = Check.TRANSLATION
    endpoints = [endpoint for address in addresses if (endpoint := translation.endpoint(address)) is not None]
    tried = endpoints[:2] or [f"{translation.address}:{translation.base_port + 1}"]
    answers = {endpoint: _try(endpoint, min(_CONNECT_SECONDS, budget / len(tried))) for endpoint in tried}
    open_ones = [endpoint for endpoint, answer in answers.items() if answer == 0]
    if open_ones:
        yield at.ok(check, f"a guest answers at {open_ones[0]}")
    elif endpoints:
        message = f"no guest answers at {', '.join(endpoints[:2])} ({_said(answers)})"
        mend = f"forward port {translation.base_port} + last octet to the guest's port on {translation.address}"
        yield at.warning(check, message + "; they may still be booting", mend)
    elif errno.ECONNREFUSED in answers.values():
        yield at.ok(check, f"{translation.address} is reachable; no running guest to test it with")
    else:
        message = (
            f"{tried[0]} is unreachable ({_said(answers)}), and there is no running guest with an address to test "
            "it with"
        )
        yield at.info(check, message, "check again when a guest is running")


def _try(endpoint: str, seconds: float) -> int:
    address, _, port = endpoint.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as wire:
        wire.settimeout(max(0.1, seconds))
        try:
            return wire.connect_ex((address, int(port)))
        except TimeoutError:
            return errno.ETIMEDOUT


def _said(answers: dict[str, int]) -> str:
    words = {errno.ECONNREFUSED: "refused", errno.EHOSTUNREACH: "no route", errno.ENETUNREACH: "no route"}
    return ", ".join(dict.fromkeys(words.get(answer, "no answer") for answer in answers.values()))
