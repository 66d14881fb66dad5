"""Moves of a domain from one host to another, live or off."""
