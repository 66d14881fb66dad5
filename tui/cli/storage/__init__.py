"""Commands for pools, bricks, drives and volumes."""
