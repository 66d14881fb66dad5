"""What the application remembers between screens."""
