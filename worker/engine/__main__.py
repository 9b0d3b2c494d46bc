"""`python -m worker.engine prepare|evaluate|score|train SPEC.json`, or `reproduce URL`."""

import os
import sys

from worker.engine import cli, reproduce

if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[:1] == ["reproduce"]:
        sys.exit(reproduce.main(arguments[1:]))
    sys.exit(cli.run(arguments, cli.FAKE_VERBS if os.environ.get("PORTAL_FAKE_ENGINE") == "1" else cli.VERBS))
