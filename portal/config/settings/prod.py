"""Settings for a public installation: refuse to start on a missing value."""

from portal.config import env
from portal.config.settings.base import *  # noqa: F403

SECRET_KEY = env.required("SECRET_KEY")
PUBLIC_URL = env.required("PUBLIC_URL").rstrip("/")
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", PUBLIC_URL.split("://", 1)[-1].split("/", 1)[0].rsplit(":", 1)[0])
env.required("DATABASE_URL")
env.required("REDIS_URL")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SECURE_HSTS_SECONDS = 31536000 if PUBLIC_URL.startswith("https://") else 0
