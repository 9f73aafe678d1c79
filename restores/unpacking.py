"""How a downloaded export is unpacked, by the resource's kind: commands that programs of any system know."""

from __future__ import annotations

COMMANDS = {
    "files": "zstd -dc {file} | tar -x -p -C NEW-DIRECTORY",
    "postgres": "zstd -dc {file} | pg_restore --exit-on-error --no-owner -d NEW-DATABASE",
}


def unpacking_command(kind: str, file: str) -> str:
    """The command that unpacks ``file``; empty for a kind that has none."""
    return COMMANDS.get(kind, "").format(file=file)
