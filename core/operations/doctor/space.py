"""The doctor's figures of free space, as they are now: a host's libvirt tells those of its last look into a pool."""

from dataclasses import replace
from threading import Event

from core.codes import Check
from core.driver.hosts.survey import HostSurvey
from core.errors import DriverError
from core.hosts import Host, HostState
from core.operations.findings import Checkup, Finding
from core.operations.storage.pool_capacity import look_anew
from core.realms import Realm


def count_space(
    at: Checkup, host: Host, realm: Realm, survey: HostSurvey, seconds: float, *, stop: Event | None = None
) -> tuple[HostSurvey, tuple[Finding, ...]]:
    """Have a host look into the realm's pools, and give its survey with what that found, and what did not answer.

    Blocks up to `seconds`. Raises Cancelled soon after `stop` is set.
    """
    mend = "check the storage on the host: findmnt, ls; a network file system may have lost its server"
    try:
        # A host that is named is examined although it is disabled.
        looked = look_anew(replace(host, state=HostState.ENABLED), realm, seconds, stop=stop)
    except DriverError as error:
        message = f"free space is not up to date: {error.bare_message}"
        return survey, (at.warning(Check.POOLS, message, error.hint),)
    seen = {pool.facts.name: pool for pool in looked}
    pools = tuple(
        replace(
            known,
            state=seen[known.name].facts.state,
            capacity_bytes=seen[known.name].facts.capacity or 0,
            available_bytes=seen[known.name].facts.available or 0,
        )
        if known.name in seen
        else known
        for known in survey.pools
    )
    findings = [
        at.error(Check.POOLS, pool.unread, mend) if pool.silent else at.warning(Check.POOLS, pool.unread, mend)
        for pool in {each.unread: each for each in looked if each.unread}.values()
    ]
    return replace(survey, pools=pools), tuple(findings)
