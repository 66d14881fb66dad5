"""Pools, images and volumes, and who uses them."""
