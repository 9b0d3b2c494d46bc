"""Write static/css/highlight.css, the colours of highlighted code, from Pygments' own themes."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from models_hub.markup import code

PATH = "static/css/highlight.css"


class Command(BaseCommand):
    help = "Write static/css/highlight.css from Pygments' themes; run it after an update of Pygments."

    def handle(self, *args: Any, **options: Any) -> None:
        (settings.BASE_DIR / PATH).write_text(code.stylesheet(), encoding="utf-8")
        self.stdout.write(f"Wrote {PATH}")
