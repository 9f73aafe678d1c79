"""Pages about checkups."""
