"""`realms plan capacity --mix`: how often a mix of sizes fits as a whole, and what the last mix strands."""

from collections.abc import Sequence

from core.placement.engine.request import Request
from core.placement.plans.mix import MixCapacity, MixOnHost
from core.placement.what_if.sandbox import Compared, Sandbox
from core.text import plural
from tui.cli.output import headings, say_folded


def print_mix(sandbox: Sandbox, answers: Compared[MixCapacity]) -> None:
    """Print how many whole mixes fit, what ends the next one, and each host's part."""
    from tui.cli.output import print_table, say
    from tui.cli.placement.what_if_text import in_thought
    from tui.cli.plans.text import left_in_words

    before, after = answers.before, answers.after
    changed = bool(sandbox.changes)
    with in_thought(sandbox):
        say_folded(_sentence(after))
        if changed:
            say_folded(f"Without the changes: {_times(before)}; with them: {_times(after)}")
        if after.stopped_by is not None:
            from tui.cli.placement.text import describe

            say_folded(f"The next mix fails at {describe(after.stopped_by)}: no host can take it")
        was = before.by_host
        if after.hosts:
            say()
            print_table(
                headings("Host", *([">Without"] if changed else []), ">VMs", "Which", "Limited by", "Left over"),
                [
                    [
                        host.host,
                        *([str(was.get(host.host, 0))] if changed else []),
                        str(host.vms),
                        _which(after.mix, host),
                        host.stopped_by.message if host.stopped_by is not None else "-",
                        left_in_words(host.left),
                    ]
                    for host in after.hosts
                ],
            )


def _sentence(found: MixCapacity) -> str:
    from tui.cli.placement.text import describe

    mix = " + ".join(f"{count} x ({describe(request)})" for request, count in found.mix)
    if found.fits is None:
        return f"{mix}: any number of mixes fit"
    if found.fits == 0:
        return f"{mix}: no whole mix fits ({plural(len(found.hosts), 'host')} asked)"
    vms = plural(found.fits * sum(count for _, count in found.mix), "VM")
    verb = "fits" if found.fits == 1 else "fit"
    on = f"{len(found.by_host)} of {plural(len(found.hosts), 'host')}"
    more = " or more: counting stopped there" if found.capped else ""
    return f"{mix}: {_times(found)} {verb} ({vms}), on {on}{more}"


def _times(found: MixCapacity) -> str:
    if found.fits is None:
        return "no limit"
    return "1 whole mix" if found.fits == 1 else f"{found.fits} whole mixes"


def _which(mix: Sequence[tuple[Request, int]], host: MixOnHost) -> str:
    """Write how many of each size, as they stand in the mix: `3 + 0 + 1`."""
    return " + ".join(map(str, host.counts)) if len(mix) > 1 and host.vms else "-"
