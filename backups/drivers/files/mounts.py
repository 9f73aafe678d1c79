"""Where file systems are mounted, as the kernel says."""

from __future__ import annotations

import os
import re

from backups.drivers.files.places import below

ESCAPE = re.compile(rb"\\([0-7]{3})")


def mount_points() -> list[str]:
    """All mount points that this process sees."""
    with open("/proc/self/mountinfo", "rb") as lines:
        fields = [line.split(b" ")[4] for line in lines]
    return [os.fsdecode(ESCAPE.sub(lambda found: bytes([int(found[1], 8)]), field)) for field in fields]


def mounts_within(path: str) -> list[str]:
    """The mount points below the canonical path, without itself."""
    return sorted({point for point in mount_points() if below(point, path)})


def is_mount_point(path: str) -> bool:
    """Whether a file system is mounted right at the canonical path."""
    return path in mount_points()
