"""Hosts: access to them, jobs on many at once, and the impact of a change."""
