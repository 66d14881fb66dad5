"""VMs as rows and words."""
