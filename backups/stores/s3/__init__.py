"""Regions that are S3 buckets, of AWS or of a server that speaks its protocol."""

from backups.stores.s3.store import S3Store

__all__ = ["S3Store"]
