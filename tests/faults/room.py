"""A small place whose room another program takes while a restore runs, and gives back."""

from __future__ import annotations

from pathlib import Path

import pytest


class Room:
    """What is left of the room in that directory's file system."""

    def __init__(self, path: Path) -> None:
        self._filler = path / "of-another-program"

    def fill(self) -> None:
        """Until nothing more can be written."""
        with self._filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            while True:
                file.write(bytes(1 << 12))

    def free(self) -> None:
        """Give all of it back."""
        self._filler.unlink()
