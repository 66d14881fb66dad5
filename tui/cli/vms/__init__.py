"""Commands for VMs."""
