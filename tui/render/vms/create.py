"""The order of a VM in fields and sentences."""

from collections.abc import Iterator

from core.config.model import Configuration
from core.realms import Realm
from core.units import format_duration
from tui.forms.fields import FormField
from tui.forms.request import stepped
from tui.forms.vm_spec import (
    BY_HOST,
    COPY,
    DEVICE,
    GO_ON,
    KEEP,
    MEMORY,
    OVERLAY,
    REFUSE,
    TAKE,
    VCPUS,
    WAIT,
    Draft,
    FormReading,
    device_types,
)
from tui.render.costs.refusals import short_name, why
from tui.render.figures import cost_text, decimals
from tui.render.vms.host_ranking import RankedHosts

_COUNT = VCPUS.__class__("devices.", "", VCPUS.kind, "0")


def order_fields(configuration: Configuration, draft: Draft) -> Iterator[FormField]:
    """Return the fields of an order, from the top, with what the draft has in them."""
    value = draft.values.get
    realms = [realm for realm in configuration.realms.values() if not realm.disabled]
    realm = next((each for each in realms if each.id == value("realm")), realms[0] if realms else None)
    yield FormField(key="name", label="Name", value=value("name", ""), hint="unique in the realm")
    if realms:
        choices = tuple((each.id, _realm_words(each)) for each in realms)
        yield FormField(key="realm", label="Realm", value=realm.id if realm is not None else "", choices=choices)
    yield FormField(key="brick", label="Brick", value=value("brick", ""), hint="boot image; F2 lists")
    boot = ((OVERLAY, "overlay of the brick"), (COPY, "full copy of the brick"))
    yield FormField(key="boot", label="Boot volume", value=value("boot", OVERLAY), choices=boot)
    yield FormField(
        key="vcpus", label="vCPUs", value=value("vcpus", VCPUS.start), step=lambda text, by: stepped(VCPUS, text, by)
    )
    yield FormField(
        key="memory", label="Memory", value=value("memory", MEMORY.start), hint="GiB by default",
        step=lambda text, by: stepped(MEMORY, text, by),
    )  # fmt: skip
    for number, kind in enumerate(device_types(configuration)):
        key = f"{DEVICE}{number}"
        yield FormField(
            key=key, label=kind, value=value(key, "0"), hint="0", step=lambda text, by: stepped(_COUNT, text, by)
        )
    yield FormField(key="drives", label="Drives", value=value("drives", ""), hint="such as 100 GiB, data.qcow2")
    in_use = ((REFUSE, "refuse"), (TAKE, "attach anyway"))
    yield FormField(key="in-use", label="Drives in use", value=value("in-use", REFUSE), choices=in_use)
    default = realm.network_filter if realm is not None else None
    hint = f"{default}; another, or none" if default else "none"
    yield FormField(key="filter", label="Network filter", value=value("filter", ""), hint=hint)
    timeout = format_duration(realm.registration_timeout) if realm is not None else ""
    waiting = ((WAIT, f"within {timeout}, else remove"), (KEEP, f"within {timeout}, else stop"), (GO_ON, "do not wait"))
    yield FormField(key="registration", label="Registration", value=value("registration", WAIT), choices=waiting)
    kinds = ((BY_HOST, "KVM if available"), ("kvm", "KVM"), ("qemu", "QEMU emulation (slow)"))
    yield FormField(key="virtualization", label="Acceleration", value=value("virtualization", BY_HOST), choices=kinds)


def _realm_words(realm: Realm) -> str:
    name = f"{realm.id} ({realm.name})" if realm.name not in ("", realm.id) else realm.id
    return f"{name}, network {realm.network}"


def headline(choice: RankedHosts, reading: FormReading | None) -> tuple[str, str]:
    """Return where the VM would go and why, and in which style."""
    if reading is None or reading.request is None:
        shown = "; showing the last valid result" if choice.verdicts else ""
        return (f"Enter valid vCPUs, memory and devices to rank hosts{shown}", "$error")
    if not choice.verdicts:
        return ("The realm has no hosts: add one in Hosts (1)", "$warning")
    taken, best = choice.taken, choice.best
    if choice.host is not None and taken is None:
        verdict = next((each for each in choice.verdicts if each.host == choice.host), None)
        reason = f": {verdict.refusal.message}" if verdict is not None and verdict.refusal is not None else ""
        return (f"Chosen host {choice.host} refuses it{reason}", "$error")
    if taken is None or best is None:
        refusals = {why(verdict.refusal) for verdict in choice.verdicts if verdict.refusal is not None}
        return (f"None of {len(choice.verdicts)} hosts can take it: {', '.join(sorted(refusals))}", "$error")
    able = [verdict for verdict in choice.verdicts if verdict.feasible]
    lead = f"{len(able)} of {len(choice.verdicts)} hosts can take it"
    if taken is not best and taken.cost is not None and best.cost is not None:
        more = taken.cost.total - best.cost.total
        amount = cost_text(more, decimals((0.0, more)))
        return (f"{lead}: chosen {taken.host}, +{amount} over {best.host}", "$warning")
    return (f"{lead}: best {taken.host}" + _ahead(choice), "")


def _ahead(choice: RankedHosts) -> str:
    from core.codes import DecidedBy
    from core.placement.engine.decision import decide

    decision = decide(choice.verdicts)
    if decision is None:
        return ", the only one"
    if decision.decided_by is DecidedBy.COST:
        amount = cost_text(decision.margin, decimals((0.0, decision.margin)))
        return f", {amount} cheaper than {decision.next_best} ({short_name(decision.part or '')} decides)"
    words = {DecidedBy.RISE: "smaller rise decides", DecidedBy.VMS: "fewer VMs decide"}
    return f", tied with {decision.next_best} ({words.get(decision.decided_by, 'name decides')})"
