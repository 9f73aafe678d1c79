"""Restore requests and charges over the API."""
