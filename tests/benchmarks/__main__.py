"""``make bench``: both kinds, one after the other."""

from __future__ import annotations

import os
import subprocess
import sys

os.environ["SECRETS_ENV_PREFIX"] = "TEST_"  # the benchmark's own server has its password there
for kind in ("files", "postgres"):
    subprocess.run([sys.executable, "-m", f"tests.benchmarks.{kind}", *sys.argv[1:]], check=True)
