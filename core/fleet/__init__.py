"""The fleet as the program sees it: frozen snapshots of hosts and VMs with their ages, and saved fleets."""
