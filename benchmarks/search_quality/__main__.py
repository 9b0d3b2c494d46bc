"""`python -m benchmarks.search_quality`: recall@10 and MRR of our search and of plain substrings, on a judged set."""

import os
import tempfile

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.config.settings.test")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/quality.sqlite3")
        import django

        django.setup()
        from django.core.management import call_command

        from benchmarks.search_quality import judging

        call_command("migrate", verbosity=0)
        judging.load()
        print(f"{'':20} {'questions':>9} {'recall@10':>9} {'MRR':>6}")
        for name, found in judging.judge().items():
            print(f"{name:20} {found.questions:9} {found.recall:9.3f} {found.mrr:6.3f}")


if __name__ == "__main__":
    main()
