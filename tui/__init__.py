"""All that talks to a terminal: the full-screen application and the scriptable commands."""
