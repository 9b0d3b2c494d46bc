"""Whether this installation can send mail at all: without a mail server, mail is only printed."""

from django.conf import settings

PRINTING = {
    "django.core.mail.backends.console.EmailBackend",
    "django.core.mail.backends.dummy.EmailBackend",
}


def is_set() -> bool:
    return settings.EMAIL_BACKEND not in PRINTING
