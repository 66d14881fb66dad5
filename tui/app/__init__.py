"""The application: areas, keys, palette, settings and running tasks."""
