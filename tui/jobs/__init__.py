"""Jobs that the application starts: on VMs, disks, pools and the registry."""
