#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

from portal.config.env import MissingSetting

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.config.settings.base")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except MissingSetting as error:
        sys.exit(f"The settings cannot be used. {error}")
