"""``make bench``: the drivers, the policy and regions in S3, one after the other."""

from __future__ import annotations

import subprocess
import sys

for kind in ("files", "postgres", "mysql", "policy", "s3"):
    subprocess.run([sys.executable, "-m", f"tests.benchmarks.{kind}", *sys.argv[1:]], check=True)
