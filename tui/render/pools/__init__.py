"""Pools as rows and words."""
