"""Sets the demo up: its configuration, its machines, its registry, in a folder that goes when it ends."""

import tempfile
from pathlib import Path
from types import TracebackType

from core.clock import SystemClock
from core.config.reader import load
from core.demo.life import Life
from core.demo.machines import build
from core.operations.session import Session
from core.registry.hosts import HostRegistry

CONFIGURATION = Path(__file__).parent / "configuration" / "ticrypt-vm.conf"


class Demo:
    """A demo fleet as a context: entering gives its session, leaving removes every trace of it."""

    def __init__(self, *, hosts: int = 8, vms: int = 40, still: bool = False) -> None:
        self._hosts, self._vms, self._still = hosts, vms, still
        self._folder = tempfile.TemporaryDirectory(prefix="realms-demo-", ignore_cleanup_errors=True)
        self._session: Session | None = None
        self._life: Life | None = None

    def __enter__(self) -> Session:
        folder = Path(self._folder.name)
        configuration = load(CONFIGURATION)
        clock = SystemClock()
        registry = HostRegistry(folder / "registry.json", clock)
        built = build(folder, configuration, hosts=self._hosts, vms=self._vms)
        registry.change(lambda changes: [changes.add(host, configuration) for host in built])
        self._session = Session(
            configuration, configuration_path=CONFIGURATION, registry=registry, label="demo", clock=clock
        )
        if not self._still:
            self._life = Life(self._session)
            self._life.start()
        return self._session

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._life is not None:
            self._life.close()
        if self._session is not None:
            self._session.close()
        self._folder.cleanup()
