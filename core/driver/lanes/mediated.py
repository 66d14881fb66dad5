"""Mediated devices of a host: the PCI functions whose parts domains hold."""

import re
from dataclasses import replace
from typing import Any

import libvirt

from core.driver.xml.domain_xml import DomainFacts
from core.driver.xml.reader import XmlRefused, parse
from core.hardware import PciAddress


def with_parents(handle: Any, facts: DomainFacts) -> DomainFacts:
    """Return a domain's facts with the parents of its mediated devices among its PCI devices. Raises libvirtError.

    Where the host doesn't list its node devices, they stay unknown.
    """
    if not facts.mediated:
        return facts
    try:
        listed = handle.listAllDevices(libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
            return facts
        raise
    parents = dict(filter(None, map(_parent, listed)))
    found = (parents[uuid] for uuid in facts.mediated if uuid in parents)
    return replace(facts, devices=tuple(dict.fromkeys((*facts.devices, *found))))


def _parent(device: Any) -> tuple[str, PciAddress] | None:
    try:
        return read_parent(str(device.XMLDesc()))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_NODE_DEVICE:  # it has gone since it was listed
            return None
        raise


_PCI_NAME = re.compile(r"pci_([0-9a-f]{4,8})_([0-9a-f]{2})_([0-9a-f]{2})_([0-7])")


def read_parent(text: str) -> tuple[str, PciAddress] | None:
    """Read the XML of a mediated device: its UUID and its parent's address; None where it tells neither."""
    try:
        device = parse(text, "device")
    except XmlRefused:
        return None
    parent = _PCI_NAME.fullmatch(device.findtext("parent", "").strip())
    # Before libvirt 7.3 its UUID is told by its name alone: mdev_8e37ee90_2b51_45e3_9b25_bf8283c03110.
    named = device.findtext("name", "").removeprefix("mdev_").replace("_", "-")[:36]
    uuid = (device.findtext("capability[@type='mdev']/uuid") or named).strip().lower()
    if parent is None or not uuid:
        return None
    return uuid, PciAddress(*(int(part, 16) for part in parent.groups()))
