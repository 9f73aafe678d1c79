"""Checkups and tests of backups over the API."""
