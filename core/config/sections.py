"""The sections under `ticrypt.vm`, made into a configuration (specification, sections 2 to 6)."""

from collections.abc import Callable
from typing import TypeVar

from core.codes import DiagnosticCode as Code
from core.config.cost_function_blocks import read_cost_function
from core.config.model import Configuration
from core.config.parameters import name_kind
from core.config.profile_blocks import check_against_function, check_function_reference, read_profile
from core.config.realm_blocks import read_realm
from core.config.report import DiagnosticReport, Path
from core.config.syntax import TokenKind, render_path
from core.config.values import Field, ObjectValue, Scalar, Value
from core.costs import CostFunction
from core.hardware import HardwareProfile
from core.text import nearest

ROOT = ("ticrypt", "vm")
SECTIONS = ("cost-functions", "hardware-profiles", "realms")
OTHER_SERVICES = ("mongodb", "firewalld", "licensing-server-driver", "reload-freq", "akka")

_Made = TypeVar("_Made")


def read_sections(root: ObjectValue, report: DiagnosticReport) -> Configuration:
    """Make a configuration of the resolved files; only one without errors in the report may be used."""
    vm = _find_root(root, report)
    if vm is None:
        return Configuration()
    _check_keys(vm, report)
    functions = _read_section(vm, "cost-functions", read_cost_function, report)
    profiles = _read_section(vm, "hardware-profiles", read_profile, report)
    realms = _read_section(vm, "realms", read_realm, report)
    _check_references(vm, functions, profiles, report)
    return Configuration(_found(functions), _found(profiles), _found(realms))


def _find_root(root: ObjectValue, report: DiagnosticReport) -> ObjectValue | None:
    value: Value = root
    for depth, key in enumerate(ROOT):
        if not isinstance(value, ObjectValue):
            break
        found = value.fields.get(key)
        if found is None:
            if root.complete and value.complete:
                _report_nothing(value, ROOT[: depth + 1], report)
            return None
        value = found.value
    if isinstance(value, Scalar) and value.kind is TokenKind.NULL:
        report.error(Code.NOTHING_CONFIGURED, value.place, ROOT, "'ticrypt.vm' is null: the file configures nothing")
        return None
    if not isinstance(value, ObjectValue):
        report.error(
            Code.WRONG_TYPE,
            value.place,
            ROOT,
            f"'ticrypt.vm' is {name_kind(value)}; expected a block",
            "",
            via=value.via,
        )
        return None
    if not value.fields and value.complete and root.complete:
        report.error(
            Code.NOTHING_CONFIGURED,
            value.place,
            ROOT,
            "nothing is configured: the block 'ticrypt.vm' is empty",
            _SKELETON,
        )
        return None
    return value


_SKELETON = "write ticrypt.vm { cost-functions { ... }, hardware-profiles { ... }, realms { ... } }"


def _report_nothing(block: ObjectValue, path: tuple[str, ...], report: DiagnosticReport) -> None:
    """Report that there is no `ticrypt.vm`; at what was probably meant to be it, where there is such a thing."""
    place = block.place
    hint = _SKELETON
    sections = [key for key in block.fields if key in SECTIONS]
    meant = [key for key in block.fields if nearest(key, path[-1:])]
    if sections:
        place = block.fields[sections[0]].place
        hint = f"put {', '.join(sections)} inside ticrypt.vm {{ ... }}"
    elif meant:
        place = block.fields[meant[0]].place
        hint = f"did you mean {'.'.join(path)} instead of {render_path((*path[:-1], meant[0]))}?"
    elif {"driver", "name"} <= block.fields.keys():
        hint = "this looks like a realm's file: check the main file that includes it"
    report.error(Code.NOTHING_CONFIGURED, place, ROOT, "nothing is configured: there is no 'ticrypt.vm'", hint)


def _check_keys(vm: ObjectValue, report: DiagnosticReport) -> None:
    """Warn about keys that are probably misspelt sections; others belong to other services."""
    for key, found in vm.fields.items():
        if key in SECTIONS or key in OTHER_SERVICES:
            continue
        if meant := nearest(key, SECTIONS):
            message = f"unknown section '{key}': it has no effect here"
            report.warning(Code.UNKNOWN_SECTION, found.place, (*ROOT, key), message, f"did you mean {meant}?")
    if vm.complete and not any(section in vm.fields for section in SECTIONS):
        message = "no cost function, hardware profile or realm is configured"
        report.warning(Code.NOTHING_CONFIGURED, vm.place, ROOT, message, _SKELETON)


def _read_section(
    vm: ObjectValue,
    section: str,
    read: Callable[[str, Value, Path, DiagnosticReport], _Made | None],
    report: DiagnosticReport,
) -> dict[str, _Made | None]:
    found = vm.fields.get(section)
    if found is None or (isinstance(found.value, Scalar) and found.value.kind is TokenKind.NULL):
        return {}
    if not isinstance(found.value, ObjectValue):
        message = f"'{section}' is {name_kind(found.value)}; expected blocks by id"
        report.error(
            Code.WRONG_TYPE,
            found.value.place,
            (*ROOT, section),
            message,
            f"write {section} {{ ID {{ ... }} }}",
            via=found.value.via,
        )
        return {}
    made: dict[str, _Made | None] = {}
    for identity, member in found.value.fields.items():
        if isinstance(member.value, Scalar) and member.value.kind is TokenKind.NULL:
            continue
        path = (*ROOT, section, identity)
        if identity in SECTIONS:
            message = f"'{identity}' is inside '{section}', as if it were an id"
            report.warning(Code.MISPLACED_SECTION, member.place, path, message, "is a closing brace missing above?")
            continue
        if not identity.strip():
            report.error(Code.EMPTY_NAME, member.place, path, f"empty id in '{section}'")
        made[identity] = read(identity, member.value, path, report)
    return made


def _check_references(
    vm: ObjectValue,
    functions: dict[str, CostFunction | None],
    profiles: dict[str, HardwareProfile | None],
    report: DiagnosticReport,
) -> None:
    """Check each profile against the cost function that it names."""
    section = vm.fields.get("cost-functions")
    complete = vm.complete and (section is None or _is_complete(section))
    _check_memory_curves(section, functions, profiles, report)
    for identity, profile in profiles.items():
        path = (*ROOT, "hardware-profiles", identity)
        members = vm.fields["hardware-profiles"].value
        if not isinstance(members, ObjectValue):
            return
        block = members.fields[identity].value
        check_function_reference(block, path, functions, complete=complete, report=report)
        if profile is None or not isinstance(block, ObjectValue):
            continue
        function = functions.get(profile.cost_function)
        if function is not None and _is_complete(section, profile.cost_function):
            check_against_function(profile, block, path, function, report)


def _check_memory_curves(
    section: Field | None,
    functions: dict[str, CostFunction | None],
    profiles: dict[str, HardwareProfile | None],
    report: DiagnosticReport,
) -> None:
    """Warn about a function in use that has no memory curve: it allows more memory than any profile has."""
    for identity, function in functions.items():
        users = [
            profile.id for profile in profiles.values() if profile is not None and profile.cost_function == identity
        ]
        if function is None or function.memory is not None or not users or not _is_complete(section, identity):
            continue
        if function.vms is None and function.vcpus is None:
            continue  # warned about already
        members = section.value if section is not None else None
        if isinstance(members, ObjectValue):
            some = ", ".join(users[:3]) + (f" and {len(users) - 3} more" if len(users) > 3 else "")
            message = f"the cost function '{identity}' has no memory curve: it allows more memory than the hosts have"
            hint = f"used by {some}; such as memory: {{ curve: hard-soft, soft: 24 GiB, hard: 32 GiB }}"
            report.warning(
                Code.NO_MEMORY_LIMIT,
                members.fields[identity].place,
                (*ROOT, "cost-functions", identity, "memory"),
                message,
                hint,
            )


def _is_complete(found: Field | None, member: str | None = None) -> bool:
    """Return whether no mistake hides a part of a section, or of one member of it."""
    value = found.value if found is not None else None
    if member is not None and isinstance(value, ObjectValue):
        value = value.fields[member].value
    return not isinstance(value, ObjectValue) or value.complete


def _found(made: dict[str, _Made | None]) -> dict[str, _Made]:
    return {identity: thing for identity, thing in made.items() if thing is not None}
