"""Domains of a host: built, controlled, measured, with their disks and snapshots."""
