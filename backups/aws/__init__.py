"""AWS: accounts, getting into them, calling, and saying what went wrong. Knows nothing of Django."""
