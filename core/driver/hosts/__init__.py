"""What libvirt says about a host itself."""
