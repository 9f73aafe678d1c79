"""The pages of checkups."""
