"""The same decisions on NumPy arrays, for thousands of hosts or VMs."""
