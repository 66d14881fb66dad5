"""Libvirt realms without a screen: configuration, registry, fleet, placement and the libvirt driver."""
