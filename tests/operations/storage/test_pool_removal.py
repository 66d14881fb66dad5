"""Pools taken away from a host that stops answering in the midst: what is begun is told, and no more is begun."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from core.errors import HostTimeout
from core.operations.storage.pool_removal import PoolsNotRemoved, remove_pools
from core.operations.storage.pool_report import PoolRole
from tests.driver.worlds import LONG
from tests.operations.vms.sabotage import Rival
from tests.operations.vms.world import POOLS

if TYPE_CHECKING:
    from core.operations.storage.pool_report import PoolsReport
    from core.operations.tasks.task import Control
    from tests.operations.vms.world import World

DEADLINE = 10.0
"""Seconds within which a busy machine has asked its hosts, and begun."""


def pools_of(realm: World, host: str) -> set[str]:
    """Return the names of a host's pools."""
    return realm.call(host, lambda connection: {pool.name() for pool in connection.handle.listAllStoragePools(0)})


@pytest.mark.slow
@pytest.mark.parametrize("at", ["remove ticrypt-vm-drives", "remove ticrypt-vm"])
def test_a_host_that_stops_answering_is_told_with_what_was_begun_there(realm: World, at: str) -> None:
    """A call that it was sent may still be carried out; what comes behind it never is."""
    assert pools_of(realm, "h1") == set(POOLS)
    main, woken = realm.session.configuration.realms["main"], threading.Event()

    def job(control: Control) -> PoolsReport:
        rival = Rival(control, at, lambda: woken.wait(LONG * 2))
        return remove_pools(realm.session, rival, main, realm.hosts[:1], tuple(PoolRole), deadline=DEADLINE)

    with pytest.raises(PoolsNotRemoved) as caught:
        realm.task(job)
    (told,) = caught.value.report.hosts
    assert isinstance(told.error, HostTimeout)
    begun = at == "remove ticrypt-vm-drives"
    if begun:
        assert "removing ticrypt-vm was started and may still finish" in told.error.message
        assert "realms pools status --host h1" in told.error.hint
    else:
        assert "nothing was started there" in told.error.message
    woken.set()
    for thread in threading.enumerate():
        if thread.name == "question to h1":
            thread.join(LONG)
    assert pools_of(realm, "h1") == set(POOLS) - ({"ticrypt-vm"} if begun else set())
