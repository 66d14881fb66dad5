"""Shares of CPU from samples of CPU time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.driver.vms.statistics import CpuMeter, DomainSample
from core.fleet.fleet import VMState

SECOND = 1_000_000_000


def sample(cpu_seconds: float | None, *, domain_id: int | None = 1) -> DomainSample:
    """Make a sample of one domain."""
    cpu_ns = None if cpu_seconds is None else int(cpu_seconds * SECOND)
    return DomainSample(None, "u", "vm", domain_id, VMState.RUNNING, cpu_ns)


@pytest.mark.parametrize(
    ("vcpus", "used", "elapsed", "percent"),
    [(1, 1, 1, 100.0), (4, 2, 1, 50.0), (2, 0, 5, 0.0), (1, 1.2, 1, 100.0), (3, 1, 3, 11.1), (0, 1, 1, 100.0)],
)
def test_100_percent_means_that_all_its_vcpus_are_busy(vcpus: int, used: float, elapsed: float, percent: float) -> None:
    """QEMU's own threads don't lift it above."""
    meter = CpuMeter()
    assert meter.measure(sample(10), vcpus, 100.0) is None
    assert meter.measure(sample(10 + used), vcpus, 100.0 + elapsed) == percent


def test_two_samples_too_close_together_change_nothing() -> None:
    """Events cause polls at odd moments; the share between them would be noise."""
    meter = CpuMeter()
    meter.measure(sample(0), 1, 0.0)
    assert meter.measure(sample(0.1), 1, 0.1) is None
    assert meter.measure(sample(0.5), 1, 1.0) == 50.0
    assert meter.measure(sample(0.6), 1, 1.1) == 50.0
    assert meter.measure(sample(0.4), 1, 2.0) is None  # counts backwards: a new process


@pytest.mark.parametrize("between", [sample(5, domain_id=2), sample(None), sample(None, domain_id=None)])
def test_a_restart_or_a_gap_begins_anew(between: DomainSample) -> None:
    """Unknown, not 0."""
    meter = CpuMeter()
    meter.measure(sample(1), 1, 0.0)
    meter.measure(sample(2), 1, 1.0)
    assert meter.measure(between, 1, 2.0) is None
    assert meter.measure(sample(9), 1, 3.0) is None


def test_domains_that_are_gone_are_forgotten() -> None:
    """A UUID that comes back begins anew."""
    meter = CpuMeter()
    meter.measure(sample(1), 1, 0.0)
    meter.keep_only(set())
    assert meter.measure(sample(2), 1, 1.0) is None


def test_answers_that_took_unequally_long_tell_no_share() -> None:
    """A host that hung: nobody knows when in that time the sample was taken."""
    meter = CpuMeter()
    meter.measure(sample(0), 1, 0.0, 0.1)
    assert meter.measure(sample(9), 1, 2.0, 10.0) is None
    assert meter.measure(sample(10), 1, 12.0, 0.1) is None
    assert meter.measure(sample(11), 1, 14.0, 0.1) == 50.0
    assert meter.measure(sample(12), 1, 18.0, 0.9) == 25.0  # a little longer is no harm


def test_a_vm_that_was_not_asked_keeps_its_share() -> None:
    """It was another one's turn; and what was asked later is measured from there."""
    meter = CpuMeter()
    meter.measure(replace(sample(0), cpu_at=0.5), 1, 0.0)
    assert meter.measure(replace(sample(1), cpu_at=2.5), 1, 2.0) == 50.0
    assert meter.measure(replace(sample(None), cpu_was_asked=False), 1, 4.0) == 50.0
    assert meter.measure(replace(sample(None, domain_id=2), cpu_was_asked=False), 1, 5.0) is None
