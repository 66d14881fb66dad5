"""What the lab is made of, and what its tests share."""
