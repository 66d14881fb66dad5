"""The area VMs."""
