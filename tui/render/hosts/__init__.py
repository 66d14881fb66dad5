"""Hosts as rows and words."""
