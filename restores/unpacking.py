"""The file that an export becomes, and how it is unpacked: commands that programs of any system know. Pure."""

from __future__ import annotations

from datetime import datetime

COMMANDS = {
    "files": "mkdir NEW-DIRECTORY && zstd -dc {file} | tar -x -p -C NEW-DIRECTORY",
    "mysql": "mariadb -e 'CREATE DATABASE NEW_DATABASE' && zstd -dc {file} | mariadb --binary-mode --comments NEW_DATABASE",
    "postgres": "createdb NEW-DATABASE && zstd -dc {file} | pg_restore --exit-on-error --no-owner -d NEW-DATABASE",
}


def export_name(resource: str, taken_at: datetime | None, suffix: str) -> str:
    """The name under which an export is saved: ``shop-files-2026-11-17-0212Z.tar.zst``. The moment is in UTC."""
    taken = taken_at.strftime("%Y-%m-%d-%H%MZ") if taken_at else "undated"
    return f"{resource}-{taken}{suffix}"


def unpacking_command(kind: str, file: str) -> str:
    """The command that unpacks ``file``; empty for a kind that has none."""
    return COMMANDS.get(kind, "").format(file=file)
