"""Hosts held against each other: one machine twice, storage that isn't shared, CPUs and versions that differ."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping
from typing import TypeVar

from core.codes import Check
from core.driver.hosts.survey import HostSurvey, SurveyedPool
from core.operations.doctor.host import show_version
from core.operations.findings import Checkup, Finding
from core.realms import Realm
from core.text import shell_command

T = TypeVar("T", bound="Hashable")


def check_twins(surveys: Mapping[str, HostSurvey]) -> Iterator[Finding]:
    """Find machines that are registered twice: their VMs would be counted twice (specification, section 7)."""
    machines: dict[str, list[str]] = defaultdict(list)
    for name, survey in surveys.items():
        if survey.hardware.machine_uuid:
            machines[survey.hardware.machine_uuid].append(name)
    for uuid, names in machines.items():
        for name in names if len(names) > 1 else ():
            others = [other for other in names if other != name]
            message = f"is the same machine as {', '.join(others)} ({uuid}): its VMs count twice"
            if len({surveys[each].host_name for each in names}) > 1:
                message += ", but their host names differ"
                mend = "if they are different machines, set a different host_uuid in /etc/libvirt/libvirtd.conf of each"
            else:
                mend = shell_command("realms hosts remove", names[-1])
            yield Checkup(name).warning(Check.SAME_MACHINE, message, mend)


def compare_realm(realm: Realm, surveys: Mapping[str, HostSurvey]) -> Iterator[Finding]:
    """Compare the hosts of one realm, where there are several; what stands out is the minority's."""
    real = {name: survey for name, survey in surveys.items() if survey.software.hypervisor == "QEMU"}
    if len(surveys) > 1:
        yield from _compare_pools(realm, surveys)
    if len(real) > 1:
        yield from _compare_cpus(real)
        yield from _compare_versions(real)


def _compare_pools(realm: Realm, surveys: Mapping[str, HostSurvey]) -> Iterator[Finding]:
    check = Check.SHARED_STORAGE
    pools = {name: _pools_of(realm, survey) for name, survey in surveys.items()}
    bad: set[str] = set()
    for number, role in enumerate(realm.pools):
        present = {name: each[number] for name, each in pools.items() if each[number] is not None}
        places = {name: _place(pool) for name, pool in present.items() if pool is not None}
        usual = _usual(places)
        for name in _minority(places):
            bad.add(name)
            message = f"pool {role} is {places[name]}, on the others {usual}: VMs can't migrate between them"
            setup = shell_command("realms pools setup --host", name)
            mend = f"{setup} sets it up and verifies that the storage is shared"
            yield Checkup(name).warning(check, message, mend)
        sizes = {
            name: pool.capacity_bytes for name, pool in present.items() if pool is not None and pool.capacity_bytes
        }
        for name in _minority(sizes):
            if name not in bad:
                bad.add(name)
                message = f"pool {role} has the same path as on the others, but another size: is the storage mounted?"
                look = shell_command("findmnt --target", places[name].rpartition(" ")[2])
                mend = f"on the host: {look}; then realms pools setup"
                yield Checkup(name).warning(check, message, mend)
    for name in surveys:
        if name not in bad and all(pools[name]):
            yield Checkup(name).ok(
                check, "pools have the same source and path as on the others; realms pools setup verifies sharing"
            )


def _pools_of(realm: Realm, survey: HostSurvey) -> tuple[SurveyedPool | None, ...]:
    known = {pool.name: pool for pool in survey.pools}
    return tuple(known.get(name) for name in realm.pools_among(known))


def _place(pool: SurveyedPool) -> str:
    return " ".join(part for part in (pool.kind, pool.source, pool.path) if part)


def _compare_cpus(surveys: Mapping[str, HostSurvey]) -> Iterator[Finding]:
    check, named = (
        Check.CPU_MODEL,
        ("give VMs that should migrate a CPU model that all hosts support: virsh hypervisor-cpu-baseline"),
    )
    models = {
        name: f"{survey.hardware.cpu_vendor} {survey.hardware.cpu_model}".strip() or "unknown"
        for name, survey in surveys.items()
    }
    different = _minority(models)
    for name in different:
        message = f"its CPU is {models[name]}, on the others {_usual(models)}: live migration between them may fail"
        yield Checkup(name).warning(check, message, named)
    alike = {name: survey.hardware.cpu_features for name, survey in surveys.items() if name not in different}
    usual = _usual(alike) or frozenset()
    for name, features in alike.items():
        if features != usual:
            odd = ", ".join(sorted(features ^ usual)[:6])
            yield Checkup(name).info(check, f"{models[name]} as on the others, but differs in {odd}", named)
        else:
            yield Checkup(name).ok(check, f"{models[name]}, as on the others")


def _compare_versions(surveys: Mapping[str, HostSurvey]) -> Iterator[Finding]:
    versions = {name: survey.software.hypervisor_version for name, survey in surveys.items()}
    newest = max(versions.values())
    for name, version in versions.items():
        if version[:2] < newest[:2]:
            message = (
                f"QEMU {show_version(version)}, elsewhere in the realm {show_version(newest)}: live migration "
                "works to a newer version, not always back"
            )
            yield Checkup(name).info(Check.QEMU, message, "update QEMU on the host")


def _usual(values: Mapping[str, T]) -> T | None:
    counted = Counter(values.values()).most_common(1)
    return counted[0][0] if counted else None


def _minority(values: Mapping[str, T]) -> list[str]:
    usual = _usual(values)
    return [name for name, value in values.items() if value != usual]
