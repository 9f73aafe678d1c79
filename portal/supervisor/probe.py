"""``python -m portal.supervisor.probe PORT``: exit code 0 when the portal answers there. For containers' health checks."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request


def answers(port: int, host: str) -> bool:
    """Whether the portal on this machine answers with 200. ``host`` is a name it is asked under."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:  # noqa: S310  (our own http address)
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def allowed_name(names: list[str]) -> str:
    """The first name that is one, not a pattern."""
    return next((name.strip().lstrip(".") for name in names if name.strip() not in ("", "*")), "127.0.0.1")


if __name__ == "__main__":
    name = allowed_name(os.environ.get("ALLOWED_HOSTS", "").split(","))
    sys.exit(0 if answers(int(sys.argv[1]), name) else 1)
