"""`python -m demo --url http://portal`: builds the demo and publishes it with the token in PORTAL_TOKEN."""

import argparse
import os
import sys
from pathlib import Path

from demo import build, publish
from demo.engine import ROOT
from demo.errors import DemoFailed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--url", required=True, help="address of the running portal")
    parser.add_argument("--workdir", type=Path, default=ROOT / "build" / "demo", help="what is built is kept here")
    options = parser.parse_args()
    token = os.environ.get("PORTAL_TOKEN", "")
    if not token:
        sys.stderr.write("Set PORTAL_TOKEN to a write token of the user “demo”.\n")
        return 2
    try:
        publish(build(options.workdir, print), options.url, token, print)
    except DemoFailed as failed:
        sys.stderr.write(f"{failed.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
