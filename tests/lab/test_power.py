"""Real guests reset and rebooted: seen from within, where what was not written is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.fleet.fleet import VMState
from core.operations.vms.power import Action, act

from .parts.administrator import PATIENCE, Admin, Serial
from .parts.host import greeting
from .parts.waiting import eventually

if TYPE_CHECKING:
    from .parts.host import LabHost
    from .parts.lab import Lab


@pytest.mark.parametrize("action", [Action.RESET, Action.REBOOT])
def test_a_guest_boots_anew(admin: Admin, running: tuple[LabHost, Serial], action: Action) -> None:
    """In the same QEMU: its memory is lost, its console tells of the new start, and nobody took it for off."""
    host, serial = running
    serial.run("echo unwritten > /mark")
    before = host.virsh("domid", "web").strip()
    target = admin.vm("web").target
    done = admin.do(lambda control: act(admin.session, control, target, action))
    assert done.error is None
    assert done.changed
    serial.wait_for("lab guest is up")
    assert "unwritten" not in serial.run("cat /mark 2> /dev/null || true")
    assert float(serial.run("cat /proc/uptime; true").split("\n")[-2].split()[0]) < PATIENCE
    assert host.virsh("domid", "web").strip() == before
    assert admin.vm("web").vm.state is VMState.RUNNING


def test_a_guest_answers_again_after_its_reset(admin: Admin, lab: Lab) -> None:
    """At the address that it had: its connections are gone, its lease is not."""
    host = lab.hosts[0]
    host.define_guest("web", network="lab")
    host.start_guest("web")
    address = host.guest_address("web")
    eventually(lambda: greeting(address, 22) == "SSH-2.0-lab", "the guest", PATIENCE)
    target = admin.vm("web").target
    admin.do(lambda control: act(admin.session, control, target, Action.RESET))
    eventually(lambda: greeting(address, 22, 0.3) == "", "the guest gone", PATIENCE, every=0.05)
    eventually(lambda: greeting(address, 22) == "SSH-2.0-lab", "the guest again", PATIENCE)
