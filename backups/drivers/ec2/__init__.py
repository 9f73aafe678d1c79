"""Machines of EC2 with all their volumes, and single volumes: EC2 makes and keeps the snapshots, the portal what they are of."""

from backups.drivers.ec2.driver import EbsDriver, Ec2Driver, VolumesDriver

__all__ = ["EbsDriver", "Ec2Driver", "VolumesDriver"]
