"""How long getting a resource back may take, from what a trial of it measured. Pure."""

from __future__ import annotations

from datetime import timedelta


def expected_recovery(measured_ms: int | None, measured_bytes: int | None, size: int | None) -> timedelta | None:
    """The time for ``size`` bytes at the source at the pace of the last trial; None where nothing was measured.

    A trial of nothing, or a backup whose size is not known, says only what the trial took.
    """
    if measured_ms is None:
        return None
    scale = size / measured_bytes if size is not None and measured_bytes else 1.0
    return timedelta(milliseconds=round(measured_ms * scale))
