"""What the ssh program says, turned into what is wrong and how to mend it."""

from enum import StrEnum
from typing import NamedTuple

from core.operations.ssh.login import SshTarget
from core.text import one_line, shell_command

_ACCEPT = "ssh {login}, compare the fingerprint with the one shown on the host, and accept it"
_REINSTALLED = "if the host was reinstalled: {forget}, then {accept}; otherwise suspect a man in "
"the middle"


class SshReason(StrEnum):
    """Why a login failed, as far as something is decided by it."""

    KEYS_REFUSED = "keys-refused"
    HOST_KEY_UNKNOWN = "host-key-unknown"
    OTHER = "other"


class SshSaid(NamedTuple):
    """What the ssh program said: what is wrong, and how to mend it."""

    what: str
    mend: str
    reason: SshReason = SshReason.OTHER


KEY_UNREADABLE = "the key file can't be read by this user"
OWN_KEY = "run as the owner of the key, usually root, or use your own key: ?keyfile=PATH in the URI"

_REASONS = (
    ("remote host identification has changed", "the host's ssh key has changed", _REINSTALLED),
    ("host key verification failed", "host key unknown: not accepted yet", "{accept}"),
    ("unprotected private key file", "the key file is readable by others: ssh refuses it", "{protect}"),
    ("too many authentication failures", "the ssh agent offers too many keys", "choose one in the URI: ?keyfile=PATH"),
    ('": permission denied', KEY_UNREADABLE, OWN_KEY),
    ("not accessible: permission denied", KEY_UNREADABLE, OWN_KEY),
    ("permission denied (", "the host accepts none of the keys offered", "{install}"),
    ("could not resolve hostname", "cannot resolve {host}", "check the name in the URI, and DNS"),
    ("connection refused", "nothing listens on {host} port {port}", "start sshd on the host, or correct the URI"),
    ("no route to host", "no route to {host}", "check that the host is up and the network is working"),
    ("network is unreachable", "the network of {host} is unreachable", "check this machine's own network and routes"),
    ("timed out", "{host} does not answer", "is the host up, and does a firewall drop packets?"),
    ("not installed on this machine", "ssh is not installed on this machine", "install openssh-client"),
)  # fmt: skip
_DECISIVE = {"host key verification failed": SshReason.HOST_KEY_UNKNOWN, "permission denied (": SshReason.KEYS_REFUSED}


def how_to_accept(target: SshTarget) -> str:
    """Return how the host's own key is accepted."""
    return _ACCEPT.format(login=target.login)


def explain(said: str, name: str, target: SshTarget) -> SshSaid:
    """Turn what the ssh program said into what is wrong and how to mend it."""
    words = {
        "host": target.host, "login": target.login, "port": target.port or 22, "accept": how_to_accept(target),
        "forget": shell_command("ssh-keygen -R", target.known_name),
        "install": shell_command("realms keys install", name),
        "protect": shell_command("chmod 600", target.keyfile or "KEYFILE"),
    }  # fmt: skip
    lower = said.lower()
    if "host key verification failed" not in lower:  # else a changed key is noise: the URI says no_verify=1
        lower = lower.replace(_REASONS[0][0], "")
    for pattern, what, mend in _REASONS:
        if pattern in lower:
            return SshSaid(what.format(**words), mend.format(**words), _DECISIVE.get(pattern, SshReason.OTHER))
    lines = [line for line in said.splitlines() if line.strip()]
    what = f"ssh: {one_line(lines[-1]) if lines else 'failed without a message'}"
    return SshSaid(what, f"run ssh {target.login} to see more")
