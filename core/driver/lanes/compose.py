"""What a session saw, put together with the settings of host and realm: the VMs of a snapshot."""

import operator
from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.driver.lanes.session import HostPoller, SeenDomain
from core.fleet.fleet import VM
from core.hosts import Host
from core.realms import Realm


@dataclass(frozen=True, slots=True)
class HostSetting:
    """A host and its realm as they are configured now; one that has both can be connected to."""

    host: Host
    realm: Realm

    def endpoint(self, address: str | None) -> str | None:
        """Where a VM of this address is reached (specification, section 7, static address translation)."""
        if address is None:
            return None
        translation = self.host.static_address
        return f"{address}:{self.realm.registration_port}" if translation is None else translation.endpoint(address)


def compose_vms(setting: HostSetting, session: HostPoller, before: tuple[VM, ...]) -> tuple[VM, ...]:
    """Make the VMs of a snapshot; what is equal to what it was before is the same object, also the whole."""
    address = session.addresses.of
    vms = (_compose(setting, domain, None if domain.id is None else address(domain.uuid)) for domain in session.seen)
    return _keep(before, vms)


def _keep(before: tuple[VM, ...], vms: Iterable[VM]) -> tuple[VM, ...]:
    known = {vm.uuid: vm for vm in before}
    kept = tuple(known[vm.uuid] if known.get(vm.uuid) == vm else vm for vm in vms)
    same = len(kept) == len(before) and all(map(operator.is_, kept, before))
    return before if same else kept


def _compose(setting: HostSetting, domain: SeenDomain, address: str | None) -> VM:
    facts = domain.facts
    return VM(
        name=domain.name,
        uuid=domain.uuid,
        host=setting.host.name,
        realm=setting.realm.id,
        state=domain.state,
        active=domain.id is not None,
        vcpus=facts.vcpus,
        memory_bytes=facts.memory_bytes,
        devices=facts.devices,
        managed=facts.mark is not None and facts.mark.realm == setting.realm.id,
        address=address,
        endpoint=setting.endpoint(address),
        cpu_percent=domain.cpu_percent,
        started_at=domain.started_at,
        state_reason=domain.state_reason,
    )


def resettle(setting: HostSetting, vms: tuple[VM, ...]) -> tuple[VM, ...]:
    """Apply changed settings to VMs as they were last seen, without asking the host."""
    settled = (
        replace(
            vm,
            host=setting.host.name,
            realm=setting.realm.id,
            endpoint=setting.endpoint(vm.address),
            managed=vm.managed and vm.realm == setting.realm.id,
        )
        for vm in vms
    )
    return _keep(vms, settled)
