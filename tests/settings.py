"""Settings of a test run: those of the portal, in a directory of the run's own, whatever the person's environment says.

Programs that a test starts (workers, web servers) inherit the variables set here and so find the same data.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from portal.environment import without_portal

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")


def _memory() -> Path | None:
    """Where nothing waits for a disk, if there is room. Many small files are written, and every one of them flushed."""
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 6_000_000_000
    return memory if roomy else None


def _run_directory() -> Path:
    """One directory per run, made by whoever is asked first and removed when that process ends."""
    given = os.environ.get("PORTAL_TEST_DIR")
    if given:
        return Path(given)
    made = Path(tempfile.mkdtemp(prefix="portal-tests-", dir=_memory()))
    os.environ["PORTAL_TEST_DIR"] = str(made)
    owner = os.getpid()

    def forget() -> None:
        if os.getpid() == owner:
            shutil.rmtree(made, ignore_errors=True)

    atexit.register(forget)
    return made


def _own_queue(broker: str) -> str:
    """Each test process has a Redis database of its own, so that none takes another's work."""
    if not broker.startswith("redis"):
        return broker
    number = int(WORKER.removeprefix("gw")) + 1 if WORKER.startswith("gw") else 0
    return urlsplit(broker)._replace(path=f"/{number % 16}").geturl()


_data = _run_directory() / WORKER
for _folder in ("files", "mail", "secrets", "static-collected"):
    (_data / _folder).mkdir(parents=True, exist_ok=True)

# What is set here for a real portal is not the tests' business; only CI's two servers are.
_kept = without_portal(os.environ, keep=("DATABASE_URL", "BROKER_URL", "PG_BIN"))
for _name in set(os.environ) - set(_kept):
    del os.environ[_name]
os.environ.update(
    {
        "DATA_DIR": str(_data),
        "SECRET_KEY": "only-for-tests-0123456789-0123456789-0123456789",
        "FILES_ROOTS": str(_data / "files"),
        "SECRETS_ENV_PREFIX": "RESOURCE_,TEST_,CONTRACT_,SHOP_,WRONG",
        "SECRETS_DIR": str(_data / "secrets"),
        "POLICY_TIME_ZONE": "Europe/Berlin",
        "BROKER_URL": _own_queue(os.environ.get("BROKER_URL", "filesystem://")),
        "LOG_LEVEL": "WARNING",
    }
)

from portal.settings import *  # noqa: E402, F403  (it reads the variables above)

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # tests sign in often
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
