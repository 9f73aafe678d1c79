"""What people and the portal do with checkups."""
