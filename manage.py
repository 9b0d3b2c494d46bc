#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

from portal.config.env import MissingSetting

LONG_LIVED = {"run_relay", "run_ssh", "run_worker"}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.config.settings.base")
    from django.core.management import execute_from_command_line

    try:
        if LONG_LIVED.intersection(sys.argv[1:2]):
            from portal.config.unused import set_up_without

            set_up_without()
        execute_from_command_line(sys.argv)
    except MissingSetting as error:
        sys.exit(f"The settings cannot be used. {error}")
