"""What Django's rules for passwords leave to us."""

from django.contrib.auth import password_validation
from django.utils.translation import ngettext


class MinimumLengthValidator(password_validation.MinimumLengthValidator):
    """Django's rule in the reader's language: Django 5.2 asks its catalogues for a text that the Chinese one lacks."""

    def get_error_message(self) -> str:
        return ngettext(
            "This password is too short: use at least %(n)d character.",
            "This password is too short: use at least %(n)d characters.",
            self.min_length,
        ) % {"n": self.min_length}
