"""The drivers, one per kind of resource, in one literal table."""
