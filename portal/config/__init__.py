"""Wiring: settings, URLs, the Celery application and the WSGI entry point."""
