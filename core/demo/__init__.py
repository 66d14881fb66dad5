"""A living fleet inside the process, on libvirt's embedded test driver: no daemon, no root, no configuration."""
