"""Second factors: their secrets are encrypted with the installation's key, and their names are ours."""

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.utils.translation import gettext as _

from portal.sealing import seal, unseal


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's second factors over our rules."""

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        # With another secret key of the installation no code fits; the reader then goes on with another factor.
        return unseal(encrypted_text) or ""

    def get_totp_issuer(self) -> str:
        return str(settings.SITE_NAME)

    def _get_site_name(self) -> str:
        return str(settings.SITE_NAME)

    def _get_user_identifier(self, user: object) -> str:
        return str(getattr(user, "username", ""))

    def generate_authenticator_name(self, user: object, type: object) -> str:
        return str(_("Security key"))
