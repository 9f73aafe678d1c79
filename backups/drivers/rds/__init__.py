"""Database instances of Amazon RDS: RDS makes and keeps the snapshots, the portal what they are of."""

from backups.drivers.rds.driver import RdsDriver

__all__ = ["RdsDriver"]
