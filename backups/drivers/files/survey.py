"""A quick look at a directory tree: can it be read, and how large is it?"""

from __future__ import annotations

import os

from backups.drivers.base import Found
from backups.drivers.counting import counted
from backups.drivers.files.walk import Type, Walk
from backups.drivers.files.words import shown, size

MOST = 20_000  # entries; a larger tree is tried in its first part only, so that a form does not wait


def survey(root: int, path: str) -> Found:
    """Open the first entries of the tree. Raises :class:`DriverError` naming what cannot be read."""
    entries = files = total = 0
    whole = True
    walk = iter(Walk(root, path + "/"))
    for node in walk:
        if node.type is Type.FILE:
            os.close(node.fd)
            files += 1
            total += node.stat.st_size
        entries += 1
        if entries >= MOST:
            more = next(walk, None)
            whole = more is None
            if more is not None and more.fd >= 0:
                os.close(more.fd)
            break
    if not whole:
        return Found(path, f"Directory {shown(path)}, more than {entries:,} entries")
    return Found(path, f"Directory {shown(path)}, {counted(files, 'file')}, {size(total)}", total)
