"""Buckets of S3 with all their objects: copied within S3 into a vault, a bucket of the portal's own in the same account."""

from backups.drivers.bucket.driver import BucketDriver
from backups.drivers.bucket.pace import Pace

__all__ = ["BucketDriver", "Pace"]
