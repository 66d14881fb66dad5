"""VM lifecycle: create, start, power, snapshots, drives and deletion."""
