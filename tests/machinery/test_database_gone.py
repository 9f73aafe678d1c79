"""The portal's own database does not answer: everybody is told so in whole pages, and nobody waits long."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.environment import without_portal

pytestmark = pytest.mark.slow  # a server is stopped under running workers

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import json, sys
import django
django.setup()
from django.test import Client
answers = {}
for path in sys.argv[2:]:
    for kind, cookies, headers in (
        ("stranger", {}, {}),
        ("session", {"sessionid": "a" * 32}, {}),
        ("token", {}, {"authorization": "Token " + "a" * 64}),
    ):
        if kind not in sys.argv[1]:
            continue
        client = Client(raise_request_exception=False)
        client.cookies.load(cookies)
        answer = client.get(path, headers=headers)
        shown = answer.content.decode()
        answers[path + " " + kind] = [answer.status_code, answer["Content-Type"], shown]
print(json.dumps(answers))
"""


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word, as a hung server does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


def answers(tmp_path: Path, port: int, *paths: str, who: str = "stranger, session, token") -> dict[str, Any]:
    environment = {
        **without_portal(os.environ),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": "only-for-tests-0123456789-0123456789-0123456789",
        "DATABASE_URL": f"postgres://portal:hunter2@127.0.0.1:{port}/portal",
        "ALLOWED_HOSTS": "testserver",
    }
    done = subprocess.run(
        [sys.executable, "-c", ASK, who, *paths], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


def test_pages_the_api_and_health_say_so(tmp_path: Path) -> None:
    known = answers(tmp_path, 1, "/healthz", "/", "/resources/", "/sign-in/", "/api/me/", "/api/backups/", "/nothing/")
    for asked, (status, kind, shown) in known.items():
        assert status in (200, 302, 401, 404, 500, 503), asked
        assert "hunter2" not in shown
        if status == 500 and asked.startswith("/api/"):
            assert kind == "application/json", asked
            assert "reference" in json.loads(shown)["detail"], asked
        elif status == 500:
            assert "tell IT this reference" in shown, asked
            assert shown.rstrip().endswith("</html>"), asked
    for asked in ("/ session", "/resources/ session", "/api/me/ session", "/api/me/ token", "/api/backups/ token"):
        assert known[asked][0] == 500, asked
    for asked in ("/healthz stranger", "/healthz token"):  # who asks for health has no session
        assert known[asked] == [503, "text/plain", "The database does not answer.\n"]


def test_a_server_that_hangs_is_given_up_within_seconds(tmp_path: Path, silent: int) -> None:
    began = time.monotonic()
    assert answers(tmp_path, silent, "/healthz", who="stranger")["/healthz stranger"][0] == 503
    assert time.monotonic() - began < 60
