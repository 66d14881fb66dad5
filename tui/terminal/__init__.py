"""The terminal: capabilities, theme, foreground programs and a safe end."""
