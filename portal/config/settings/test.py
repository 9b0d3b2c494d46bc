"""Settings for the test suite: quick hashing, mail in memory, nothing left behind."""

import atexit
import shutil
import tempfile
from pathlib import Path

import dj_database_url

from portal.config import env
from portal.config.settings import base
from portal.config.settings.base import *  # noqa: F403

DATA_DIR = Path(tempfile.mkdtemp(prefix="portal-test-"))
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)
BLOB_DIR = DATA_DIR / "blobs"
FILE_UPLOAD_TEMP_DIR = str(DATA_DIR)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
DATABASES = base.DATABASES
if env.text("TEST_DATABASE") == "postgresql":
    DATABASES = {"default": dj_database_url.parse("postgres:///")}  # tests/conftest.py says which one
elif DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # a test may give a DATABASE_URL of its own
    # As everywhere, but that nothing waits for the disk: no test outlives the machine.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "rendered": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "rendered"},
}
CELERY_BROKER_URL = "memory://"
ACCOUNT_RATE_LIMITS = False
REQUEST_RATES = {}
NEWCOMER_LIMITS = False
ADMIN_SECOND_FACTOR = False  # the tests of the administration turn it on
WHITENOISE_AUTOREFRESH = True  # the suite needs no collected static files
BRIEFLY_SECONDS = 0
