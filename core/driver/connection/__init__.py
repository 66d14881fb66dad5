"""One connection to a host's libvirt: opened, asked, given up, and its errors translated."""
