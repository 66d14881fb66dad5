"""Reusable widgets; they know no screen and no fleet."""
