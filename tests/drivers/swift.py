"""A throwaway OpenStack Swift that speaks S3: one node on loopback, strict about signatures and checksums.

``location`` is the region it says it is; two servers with different ones are two regions. It keeps versions, knows no public
access block and no lifecycle, and is gone with its data when closed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

import botocore.session
from botocore.config import Config

KEY, SECRET = "portal:portal", "s3cret-of-tests"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_MAX_ATTEMPTS": "2",
    "AWS_EC2_METADATA_DISABLED": "true",
}
SERVERS = {"account": "account", "container": "container", "object": "obj", "proxy": "proxy"}
"""Their packages by their names."""

STORAGE = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {root}
devices = {root}/devices
mount_check = false
disable_fallocate = true
log_level = CRITICAL
log_address = {root}/no-log
recon_cache_path = {root}/cache

[pipeline:main]
pipeline = {kind}-server

[app:{kind}-server]
use = egg:swift#{kind}
"""

PIPELINE = (
    "catch_errors gatekeeper healthcheck listing_formats bulk s3api tempauth copy container-quotas slo dlo"
    " versioned_writes symlink proxy-server"
)
PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {root}
log_level = CRITICAL
log_address = {root}/no-log

[pipeline:main]
pipeline = {pipeline}

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true

[filter:tempauth]
use = egg:swift#tempauth
user_portal_portal = {secret} .admin

[filter:s3api]
use = egg:swift#s3api
location = {location}
s3_acl = false
check_bucket_owner = false
min_segment_size = 1048576
dns_compliant_bucket_names = true

[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true

[filter:slo]
use = egg:swift#slo
rate_limit_after_segment = 10000

[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:copy]
use = egg:swift#copy
[filter:container-quotas]
use = egg:swift#container_quotas
[filter:dlo]
use = egg:swift#dlo
[filter:symlink]
use = egg:swift#symlink
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


RING = """
import sys
from swift.common.ring import RingBuilder
port, path = int(sys.argv[1]), sys.argv[2]
ring = RingBuilder(4, 1, 0)
here = {"ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1", "replication_port": port}
ring.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1.0, "device": "d1", "meta": "", **here})
ring.rebalance()
ring.get_ring().save(path)
"""
# In a process of its own, as all of Swift: it brings eventlet, which warns of every fork from then on.


class SwiftServer:
    """A running server. Use as a context manager, or call :meth:`close`."""

    def __init__(self, location: str) -> None:
        self.location = location
        self.root = Path(tempfile.mkdtemp(prefix="swift-"))
        self._children: list[subprocess.Popen[bytes]] = []
        self.ports = {kind: free_port() for kind in SERVERS}
        self.endpoint = f"http://127.0.0.1:{self.ports['proxy']}"
        try:
            self._configure()
            self._start()
        except BaseException:
            self.close()
            raise

    def _configure(self) -> None:
        (self.root / "devices" / "d1").mkdir(parents=True)
        (self.root / "cache").mkdir()
        (self.root / "swift.conf").write_text(
            "[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n[storage-policy:0]\nname = one\ndefault = yes\n"
        )
        user = pwd.getpwuid(os.getuid()).pw_name
        for kind in SERVERS:
            text = (PROXY if kind == "proxy" else STORAGE).format(
                kind=kind,
                port=self.ports[kind],
                user=user,
                root=self.root,
                location=self.location,
                secret=SECRET,
                pipeline=PIPELINE,
            )
            (self.root / f"{kind}.conf").write_text(text)
        for kind in ("account", "container", "object"):
            ring = str(self.root / f"{kind}.ring.gz")
            subprocess.run(
                [sys.executable, "-W", "ignore", "-c", RING, str(self.ports[kind]), ring], check=True, cwd=self.root
            )

    def _start(self) -> None:
        for kind, package in SERVERS.items():
            program = f"import sys; from swift.{package}.server import main; main()"
            with (self.root / f"{kind}.log").open("wb") as log:
                self._children.append(
                    subprocess.Popen(
                        [sys.executable, "-W", "ignore", "-c", program, str(self.root / f"{kind}.conf")],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        cwd=self.root,
                    )
                )
        until = time.monotonic() + 60
        while not self._answers():
            self.check_alive()
            if time.monotonic() > until:
                raise RuntimeError("Swift does not answer.")
            time.sleep(0.1)

    def check_alive(self) -> None:
        """Raise with what it said last when one of its processes has ended."""
        for kind, child in zip(SERVERS, self._children, strict=True):
            if child.poll() is not None:
                told = (self.root / f"{kind}.log").read_text(errors="replace")
                raise RuntimeError(f"Swift's {kind} server ended with {child.returncode}: {told[-2000:]}")

    def _answers(self) -> bool:
        for kind, port in self.ports.items():
            try:
                if kind == "proxy":
                    with urllib.request.urlopen(f"{self.endpoint}/healthcheck", timeout=5) as answer:
                        return bool(answer.status == 200)
                socket.create_connection(("127.0.0.1", port), 5).close()
            except OSError:
                return False
        return True

    def client(self) -> Any:
        """A client of plain botocore, to look at things without the code under test."""
        return botocore.session.Session().create_client(
            "s3",
            region_name=self.location,
            endpoint_url=self.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}),
        )

    def close(self) -> None:
        """End it and forget its data."""
        for child in self._children:
            child.kill()
        for child in self._children:
            child.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()
