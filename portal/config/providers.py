"""Other sites that people may sign in with, as the environment names them. Without a client id there is no button."""

from typing import Any
from urllib.parse import urlsplit

from portal.config import env

PACKAGES = {
    "github": "allauth.socialaccount.providers.github",
    "google": "allauth.socialaccount.providers.google",
    "openid_connect": "allauth.socialaccount.providers.openid_connect",
}
# Where a sign-in form may lead to: browsers hold redirects against the policy too.
ORIGINS = {"github": "https://github.com", "google": "https://accounts.google.com"}


def configured() -> dict[str, dict[str, Any]]:
    """Return allauth's settings of the providers that the environment names."""
    found: dict[str, dict[str, Any]] = {}
    if client_id := env.text("GITHUB_CLIENT_ID"):
        app = {"client_id": client_id, "secret": env.required("GITHUB_CLIENT_SECRET")}
        found["github"] = {"APP": app, "OAUTH_PKCE_ENABLED": True, "SCOPE": ["read:user", "user:email"]}
    if client_id := env.text("GOOGLE_CLIENT_ID"):
        app = {"client_id": client_id, "secret": env.required("GOOGLE_CLIENT_SECRET")}
        found["google"] = {"APP": app, "OAUTH_PKCE_ENABLED": True, "SCOPE": ["profile", "email"]}
    if client_id := env.text("OIDC_CLIENT_ID"):
        oidc = {
            "provider_id": "oidc",
            "name": env.text("OIDC_NAME", "OpenID Connect"),
            "client_id": client_id,
            "secret": env.required("OIDC_CLIENT_SECRET"),
            "settings": {"server_url": env.required("OIDC_SERVER_URL")},
        }
        found["openid_connect"] = {"APPS": [oidc], "OAUTH_PKCE_ENABLED": True}
    return found


def packages(providers: dict[str, dict[str, Any]]) -> list[str]:
    """Return the apps of allauth that these providers need."""
    return [PACKAGES[name] for name in providers]


def origins(providers: dict[str, dict[str, Any]]) -> list[str]:
    """Return the sites that a sign-in form leads to."""
    found = [ORIGINS[name] for name in providers if name in ORIGINS]
    for app in providers.get("openid_connect", {}).get("APPS", []):
        parts = urlsplit(app["settings"]["server_url"])
        found.append(f"{parts.scheme}://{parts.netloc}")
    return found + env.names("OIDC_FORM_ORIGINS")
