"""``make bench``: the drivers, the policy, regions in S3, buckets and much at AWS, one after the other."""

from __future__ import annotations

import subprocess
import sys

for kind in ("files", "postgres", "mysql", "policy", "s3", "bucket", "provider"):
    subprocess.run([sys.executable, "-m", f"tests.benchmarks.{kind}", *sys.argv[1:]], check=True)
