"""What libvirt's XML says of a domain, and the realm's mark in it."""
