"""Names as SQL writes them."""

from __future__ import annotations


def quoted(*names: str) -> str:
    """A name, or names with dots between."""
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)
