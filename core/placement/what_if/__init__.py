"""What-if: changes to a configuration and a fleet, applied, undone and compared."""
