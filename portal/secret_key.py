"""Where Django's SECRET_KEY comes from."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from portal.environment import WrongEnvironment


def secret_key(given: str, data_dir: Path, *, demo: bool) -> str:
    """The given key; in the demo one that is made once and kept below ``data_dir``. Raises WrongEnvironment without one."""
    if given:
        if len(given) < 32:
            raise WrongEnvironment("SECRET_KEY: it is too short; 50 random characters are right.")
        return given
    if not demo:
        raise WrongEnvironment("SECRET_KEY: it is not set. Set it to 50 random characters, or DEMO=1 for the demo.")
    path = data_dir / "secret-key"
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text()
