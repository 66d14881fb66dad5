"""Checks of the way to a host by ssh: the key, what is known of the host's own key, the login, the clock behind it."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event

from core.clock import Clock
from core.codes import Check
from core.operations.findings import Checkup, Finding
from core.operations.ssh.login import SSH_FAILED, Outcome, SshTarget, effective, log_in, run
from core.operations.ssh.messages import KEY_UNREADABLE, OWN_KEY, SshReason, explain, how_to_accept
from core.text import one_line, shell_command
from core.units import whole_number
from core.uris import parse_uri

CLOCK_TOLERANCE = 5.0
"""Seconds that a host's clock may differ from this machine's."""

SMALLEST_RSA = 2048
"""Bits of the service's RSA key (specification, section 1)."""

MOST_PEERS = 3
"""Hosts that each host is asked to reach: enough to see the habit, without as many logins as there are pairs."""

_ASK_CLOCK = "date +%s"
_ASK_PEERS = (
    "while read -r number user port host; do "
    'if ssh -n -T -o BatchMode=yes -o ConnectTimeout=3 -l "$user" -p "$port" -- "$host" true >/dev/null 2>&1; '
    'then echo "$number yes"; else echo "$number no"; fi; done'
)
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:%-]*")
_FINGERPRINT = re.compile(r"(?P<bits>\d+) (?P<print>\S+) .*\((?P<type>[^()]+)\)")


# This machine ------------------------------------------------------------------------------------------------------


def check_keys(targets: Iterable[SshTarget]) -> Iterator[Finding]:
    """Check each key that the hosts' URIs name, or the ssh program's own choice, once; and the agent."""
    here = Checkup("")
    agent = run(["ssh-add", "-l"], 5.0)
    in_agent = agent.out if agent.code == 0 else ""
    keys: dict[Path, None] = {}
    without: list[str] = []
    for target in dict.fromkeys(targets):
        offered = _keys_of(target)
        keys |= dict.fromkeys(offered)
        if not offered and not in_agent:
            without.append(target.login)
    for key in keys:
        yield from _check_key(here, key, in_agent)
    if without:
        logins = ", ".join(without[:3]) + (f" and {len(without) - 3} more" if len(without) > 3 else "")
        message = f"this machine has no ssh key for {logins}"
        yield here.error(Check.SSH_KEY, message, "realms keys make, then realms keys install HOST")
    if in_agent:
        count = len(in_agent.splitlines())
        yield here.info(
            Check.SSH_AGENT, f"the ssh agent offers {count} key{'s' if count != 1 else ''}; other users may have none"
        )
    else:
        yield here.ok(Check.SSH_AGENT, "no ssh agent with keys: logins use key files only")


def _keys_of(target: SshTarget) -> tuple[Path, ...]:
    """Key files that would be offered: the one that the URI names, whether it exists or not, or those that exist."""
    if target.keyfile is not None:
        return (target.keyfile,)
    names = effective(target).get("identityfile", ())
    files = (Path(name).expanduser() for name in names)
    return tuple(file for file in files if os.path.exists(file))


def _check_key(here: Checkup, key: Path, in_agent: str) -> Iterator[Finding]:
    check = Check.SSH_KEY
    make_another = shell_command("realms keys make --file", f"{key}2")
    try:
        mode = key.stat().st_mode
    except PermissionError:
        yield here.error(check, f"{key}: {KEY_UNREADABLE}", OWN_KEY)
        return
    except OSError as error:
        make = shell_command("realms keys make --file", key)
        yield here.error(check, f"{key}: {(error.strerror or str(error)).lower()}", make)
        return
    if mode & 0o077:
        yield here.error(check, f"{key} can be read by others: ssh refuses it", shell_command("chmod 600", key))
        return
    if not os.access(key, os.R_OK):
        yield here.error(check, f"{key}: {KEY_UNREADABLE}", OWN_KEY)
        return
    listed = run(["ssh-keygen", "-l", "-f", str(key)], 5.0)
    match = _FINGERPRINT.search(listed.out)
    if match is None:
        reason = one_line(listed.err or listed.out).removeprefix(f"{key} ")
        yield here.error(check, f"{key} is not an ssh key: {reason}", make_another)
        return
    bits, kind = int(match["bits"]), match["type"]
    described = f"{key}: {kind} {bits}" if kind == "RSA" else f"{key}: {kind}"
    if kind == "DSA" or (kind == "RSA" and bits < SMALLEST_RSA):
        yield here.error(check, f"{described} is too weak: hosts reject it", make_another)
        return
    if run(["ssh-keygen", "-y", "-P", "", "-f", str(key)], 5.0).code == 0:
        yield here.ok(check, described)
    elif match["print"] in in_agent:
        yield here.info(check, f"{described}, with a passphrase: it works only while an ssh agent holds it, as here")
    else:
        mend = (
            f"remove the passphrase: {shell_command('ssh-keygen -p -f', key)}; "
            f"or load it: {shell_command('ssh-add', key)}"
        )
        yield here.error(check, f"{described} has a passphrase, and no ssh agent holds it", mend)


# One host ----------------------------------------------------------------------------------------------------------


def check_host_key(at: Checkup, target: SshTarget, uri: str, *, registered: bool = True) -> Iterator[Finding]:
    """Check that the host's own key has been accepted once, so that nobody can take its place."""
    check = Check.HOST_KEY
    if not target.verifies_host:
        checked, then = _without_no_verify(uri), "remove no_verify from the URI"
        if registered:
            then = shell_command("realms hosts edit", at.host, "--uri", checked)
        mend = f"ssh {target.login}, compare the fingerprint, accept it; then {then}"
        yield at.warning(check, "no_verify: the host's identity is not checked", mend)
        return
    settings = effective(target)
    name = next(iter(settings.get("hostkeyalias", ())), "") or _known_name(target, settings)
    files = (file for each in ("userknownhostsfile", "globalknownhostsfile") for file in settings.get(each, ()))
    for file in " ".join(files).split():
        path = Path(file).expanduser()
        if os.path.isfile(path) and run(["ssh-keygen", "-F", name, "-f", str(path)], 5.0).code == 0:
            yield at.ok(check, f"known in {path}")
            return
    if next(iter(settings.get("stricthostkeychecking", ())), "ask") in {"ask", "true", "yes"}:
        yield at.error(check, f"the host's key is not known: it was never accepted for {name}", how_to_accept(target))
    else:
        yield at.warning(check, f"host key unknown, and ssh is set to accept any for {name}")


def _known_name(target: SshTarget, settings: object) -> str:
    hostname = settings.get("hostname", (target.host,))[0] if isinstance(settings, dict) else target.host
    port = settings.get("port", ("22",))[0] if isinstance(settings, dict) else "22"
    return hostname if port == "22" else f"[{hostname}]:{port}"


def _without_no_verify(uri: str) -> str:
    given = parse_uri(uri)
    return given.with_parameters([pair for pair in given.parameters if pair[0] != "no_verify"])


def check_login(
    at: Checkup, target: SshTarget, timeout: float, clock: Clock, *, stop: Event | None = None, subject: str = ""
) -> Iterator[Finding]:
    """Log in as libvirt does, and compare the clocks. An error means that libvirt can't get there either.

    `subject` is what commands call the host that are told; its name where it is empty.
    """
    asked = clock.now()
    outcome = log_in(target, _ASK_CLOCK, timeout, stop=stop)
    answered = clock.now()
    if outcome.code is None:
        yield at.error(Check.LOGIN, f"ssh: no answer in {timeout:g} s", "check that the host is up and not hung")
        return
    if outcome.code in (SSH_FAILED, 126, 127) and not outcome.out:
        if outcome.code == 127 and "ssh:" not in outcome.err:  # the host's shell knows no `date`
            yield at.ok(Check.LOGIN, f"as {target.login}")
            return
        said = explain(outcome.err, subject or at.host, target)
        yield at.error(Check.LOGIN, said.what, said.mend, wants_key=said.reason is not SshReason.OTHER)
        return
    yield at.ok(Check.LOGIN, f"ssh {target.login} works without a prompt")
    yield from _check_clock(at, outcome, asked, answered)


def _check_clock(at: Checkup, outcome: Outcome, asked: float, answered: float) -> Iterator[Finding]:
    words = outcome.out.split()
    theirs = whole_number(words[-1]) if outcome.code == 0 and words else None
    if theirs is None:
        yield at.info(Check.CLOCK, "cannot verify: the host does not report its time by ssh, and libvirt has no clock")
        return
    # The host's answer is cut to the second, and was given at some moment in between: only what can't be is skew.
    skew = max(0.0, asked - 1.0 - theirs) or -max(0.0, theirs - answered)
    if abs(skew) > CLOCK_TOLERANCE:
        way = "behind" if skew > 0 else "ahead of"
        message = f"the host's clock is {abs(skew):.0f} s {way} this machine's"
        yield at.warning(Check.CLOCK, message, "on the host with the wrong time: timedatectl set-ntp true")
    else:
        yield at.ok(Check.CLOCK, f"within {CLOCK_TOLERANCE:g} s of this machine's")


# Between hosts -----------------------------------------------------------------------------------------------------


def check_peers(at: Checkup, target: SshTarget, peers: Sequence[SshTarget], timeout: float) -> Iterator[Finding]:
    """Ask a host whether it gets to others by ssh: only peer-to-peer migration needs that."""
    asked = [peer for peer in peers if _is_plain(peer)][:MOST_PEERS]
    if not asked:
        return
    lines = "".join(
        f"{number} {peer.user or 'root'} {peer.port or 22} {peer.host}\n" for number, peer in enumerate(asked)
    )
    outcome = log_in(target, _ASK_PEERS, timeout, stdin=lines)
    answers = dict(line.split(" ", 1) for line in outcome.out.splitlines() if line.count(" ") == 1)
    failed = [peer.host for number, peer in enumerate(asked) if answers.get(str(number)) == "no"]
    unknown = [peer.host for number, peer in enumerate(asked) if str(number) not in answers]
    check, needless = Check.HOST_TO_HOST, "only peer-to-peer migration needs it"
    if failed:
        yield at.info(check, f"no ssh from here to {', '.join(failed)}: {needless}")
    elif unknown:
        yield at.info(check, f"ssh from here to {', '.join(unknown)} is unknown: no answer in time; {needless}")
    else:
        yield at.ok(check, f"ssh from here to {', '.join(peer.host for peer in asked)} works")


def _is_plain(peer: SshTarget) -> bool:
    return bool(_PLAIN.fullmatch(peer.host) and (peer.user is None or _PLAIN.fullmatch(peer.user)))
