"""What an administrator asks for when a VM is to move, and what stands in its way."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.codes import Check
from core.diagnostics import Severity
from core.driver.migration.migration import MigrationMode
from core.errors import UsageError

_SCHEMES = ("tcp://", "rdma://")


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationOptions:
    """Options of a migration. Raises UsageError for those that exclude each other."""

    to: str | None = None
    """Name of the target host; None: the best other one."""
    offline: bool = False
    mode: MigrationMode = MigrationMode.CLIENT
    tls: bool = False
    copy_storage: bool = False
    unsafe: bool = False
    force: bool = False
    foreign: bool = False
    timeout: float | None = None
    """Seconds after which a live migration is called off."""
    auto_converge: bool = True
    bandwidth: int = 0
    """MiB/s; 0: no limit."""
    migrate_uri: str = ""
    peer_uri: str = ""

    def __post_init__(self) -> None:
        tunnelled = self.mode is MigrationMode.TUNNELLED
        if self.offline and (self.copy_storage or self.tls or self.mode is not MigrationMode.CLIENT):
            raise UsageError(
                "an offline move sends no memory: --mode, --tls and --copy-storage are for live migration",
                hint="leave them out; copy disks that aren't shared manually",
            )
        if tunnelled and self.copy_storage:
            raise UsageError("a tunnelled migration can't copy storage", hint="--mode p2p or client, with --tls")
        if tunnelled and self.tls:
            raise UsageError(
                "--tls encrypts QEMU's own connection; a tunnelled migration has none",
                hint="it is protected by libvirt's connection between the hosts, which ssh and tls encrypt",
            )
        if tunnelled and self.migrate_uri:
            raise UsageError("a tunnelled migration has no separate address", hint="leave --migrate-uri out")
        if self.migrate_uri and not self.migrate_uri.startswith(_SCHEMES):
            raise UsageError(
                f"{self.migrate_uri!r} is not a migration URI", hint="such as tcp://10.0.0.7 or tcp://10.0.0.7:49152"
            )
        if self.peer_uri and self.mode is MigrationMode.CLIENT:
            raise UsageError("--peer-uri is for --mode p2p and tunnelled", hint="leave it out")

    @property
    def options(self) -> frozenset[str]:
        """The options given by which an administrator takes a risk."""
        given = {
            "--force": self.force,
            "--unsafe": self.unsafe,
            "--foreign": self.foreign,
            "--copy-storage": self.copy_storage,
        }
        return frozenset(option for option, chosen in given.items() if chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Something that was checked before a migration. An error stands in its way, a warning is a risk."""

    severity: Severity
    check: Check
    """What was looked at, in one or two words."""
    what: str
    mend: str = ""
    overridden_by: str = ""
    """The option by which the administrator overrides it; empty where none does."""
    overridden: bool = False
    """That option was given, so this error doesn't stand in the way."""

    @property
    def blocks(self) -> bool:
        """Whether nothing can go on because of it."""
        return self.severity is Severity.ERROR and not self.overridden


def error(check: Check, what: str, mend: str = "", *, unless: str = "") -> Obstacle:
    """Report what stands in the way, and the option that overrides it, if one does."""
    return Obstacle(severity=Severity.ERROR, check=check, what=what, mend=mend, overridden_by=unless)


def warning(check: Check, what: str, mend: str = "") -> Obstacle:
    """Report a risk."""
    return Obstacle(severity=Severity.WARNING, check=check, what=what, mend=mend)


def info(check: Check, what: str, mend: str = "") -> Obstacle:
    """Report what is good to know."""
    return Obstacle(severity=Severity.INFO, check=check, what=what, mend=mend)


def fine(check: Check, what: str) -> Obstacle:
    """Report that all is well."""
    return Obstacle(severity=Severity.OK, check=check, what=what)


def judged(obstacles: Iterable[Obstacle], wish: MigrationOptions) -> tuple[Obstacle, ...]:
    """Put them in order, worst first, and note which of them the administrator's options override."""
    noted = (replace(each, overridden=each.overridden_by in wish.options) for each in obstacles)
    return tuple(sorted(noted, key=lambda each: (not each.blocks, each.severity.rank)))
