"""What the screens and the commands ask for: configuration, registry, driver and placement put together."""
