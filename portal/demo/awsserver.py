"""``python -m portal.demo.awsserver PORT``: the simulated AWS of the demo, on loopback, until it is told to stop."""

from __future__ import annotations

import sys

from moto.server import main

from portal.demo.awsgaps import fill_gaps

if __name__ == "__main__":
    fill_gaps()
    main(["--host", "127.0.0.1", "--port", sys.argv[1]])
