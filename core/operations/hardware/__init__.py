"""Hardware of a host: accelerators, proposed profiles and how well one fits."""
