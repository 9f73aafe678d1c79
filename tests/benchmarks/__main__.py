"""``make bench``: the drivers and the policy, one after the other."""

from __future__ import annotations

import subprocess
import sys

for kind in ("files", "postgres", "mysql", "policy"):
    subprocess.run([sys.executable, "-m", f"tests.benchmarks.{kind}", *sys.argv[1:]], check=True)
