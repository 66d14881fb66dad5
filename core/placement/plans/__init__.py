"""Plans: capacity, mixes, drain, failure, rebalance, room for a VM."""
