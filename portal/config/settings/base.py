"""Settings that run anywhere: SQLite, local files and the embedded Redis unless the environment says otherwise."""

import dj_database_url
from csp.constants import NONE, SELF
from django.contrib.messages import constants as levels
from django.utils.translation import gettext_lazy as _

from portal.config import api_answers, appearance, env, providers

BASE_DIR = env.BASE_DIR
DATA_DIR = env.writable(env.data_dir())

DEBUG = False
SECRET_KEY = env.secret_key()
# Any host name by default: a portal on a laptop must survive a changed address. PUBLIC_URL pins it.
PUBLIC_URL = env.text("PUBLIC_URL").rstrip("/")
if env.text("EMAIL_HOST"):
    # Links in mail must not lead to a host name that whoever asked for the mail has chosen.
    PUBLIC_URL = env.required("PUBLIC_URL").rstrip("/")
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", env.host_names(PUBLIC_URL))
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS", PUBLIC_URL)
if env.flag("BEHIND_TLS_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # rate limits count the reader's address, not the proxy's

# Accounts of other sites that people may sign in with.
SOCIALACCOUNT_PROVIDERS = providers.configured()

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "models_hub.apps.ModelsHubConfig",
    "forum.apps.ForumConfig",
    "leaderboard.apps.LeaderboardConfig",
    "worker.apps.WorkerConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    *providers.packages(SOCIALACCOUNT_PROVIDERS),
    "rest_framework",
    "drf_spectacular",
    "csp",
    "template_partials.apps.SimpleAppConfig",
    "unfold.apps.BasicAppConfig",  # before the administration, whose templates it replaces
    "portal.admin_app.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    "portal.middleware.TransferMiddleware",
    "portal.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.middleware.RateMiddleware",
    "portal.middleware.OriginMiddleware",
    "portal.middleware.LastSeenMiddleware",
    "portal.middleware.DomainErrorMiddleware",
]

ROOT_URLCONF = "portal.config.urls"
WSGI_APPLICATION = "portal.config.wsgi.application"
APPEND_SLASH = False  # a repository path has no trailing slash, and a redirect would break clients

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.site",
            ],
            "builtins": ["portal.templatetags.ui", "template_partials.templatetags.partials"],
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
        },
    }
]

DATABASES = {"default": dj_database_url.parse(env.database_url(), conn_max_age=60, conn_health_checks=True)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A deferred transaction that turns into a writer fails at once, whatever the busy timeout: take the lock first.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-2000; PRAGMA temp_store=MEMORY;"
        ),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.redis_url()
# Rate limits live in the database: Redis may be lost at any time, and they must not fail open with it.
CACHES = {
    # Room for many guessers: with Django's 300 entries a flood of addresses would push out the counts of guesses.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_cache",
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    },
    # Rendered cards and code: apart, so that many of them cannot push out a rate limit.
    "rendered": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_rendered",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
}

AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": name}
    for name in (
        "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "portal.password_rules.MinimumLengthValidator",
        "django.contrib.auth.password_validation.CommonPasswordValidator",
        "django.contrib.auth.password_validation.NumericPasswordValidator",
    )
]
ACCOUNT_ADAPTER = "portal.account_adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "portal.account_forms.LoginForm"}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = env.text("EMAIL_VERIFICATION", "optional")
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_GET = False
# Beside allauth's own: codes that are guessed, and programs that ask for one.
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = {
    "guess_device_code": "20/h/user",
    "begin_device": "120/h/ip",
    "exchange_token": "1200/h/ip",
}
# Calls of programs in five minutes, of an address and of somebody signed in; 0 is without limit. Files have their own.
REQUEST_RATES = {
    "api": (env.number("API_RATE_ANONYMOUS", 1500), env.number("API_RATE", 6000)),
    "resolvers": (env.number("FILE_RATE_ANONYMOUS", 6000), env.number("FILE_RATE", 24000)),
    "ssh": (env.number("SSH_RATE_ANONYMOUS", 600), env.number("SSH_RATE", 1500)),
}
if not env.flag("RATE_LIMITS", default=True):
    ACCOUNT_RATE_LIMITS = False
    REQUEST_RATES = {}
ACCOUNT_SESSION_REMEMBER = True
# A known address may sign up again and stays unverified: refusing it would tell whose address is known.
ACCOUNT_PREVENT_ENUMERATION = "strict"
# Whoever finds an open browser must not move the account to an address of his own.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_MAX_EMAIL_ADDRESSES = 5
# What new people may post, and what looks like bulk: see forum/admission.py. Watched words hold in any case.
NEWCOMER_LIMITS = env.flag("NEWCOMER_LIMITS", default=env.flag("RATE_LIMITS", default=True))
# Of sign-ins, tokens and rights, this long is kept who, when and from where.
AUDIT_DAYS = env.number("AUDIT_DAYS", 365)
ACCOUNT_DELETION_DAYS = env.number("ACCOUNT_DELETION_DAYS", 30)
MFA_ADAPTER = "portal.mfa_adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # clocks of phones go wrong by some seconds
# Browsers offer keys over TLS and on this machine alone, so that without TLS nothing else is let in by this.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PUBLIC_URL.startswith("https://")
MFA_ALLOW_UNVERIFIED_EMAIL = ACCOUNT_EMAIL_VERIFICATION != "mandatory"
USERSESSIONS_TRACK_ACTIVITY = False  # portal.middleware notes it once in some minutes, not with each request
SOCIALACCOUNT_ADAPTER = "portal.social_adapter.SocialAccountAdapter"
SOCIALACCOUNT_AUTO_SIGNUP = False  # people choose their name here
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # an address that another site tells of opens no account
SOCIALACCOUNT_STORE_TOKENS = False
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if env.text("EMAIL_HOST")
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.number("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 30  # seconds: a mail server that hangs must hold up no request and no other letter
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "portal@localhost")

LANGUAGE_CODE = env.text("LANGUAGE_CODE", "en")
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True

FORM_RENDERER = "portal.form_renderer.FormRenderer"
# The kit's names for what Django calls a level.
MESSAGE_TAGS = {levels.DEBUG: "secondary", levels.ERROR: "danger"}

STATIC_URL = "/static/"
STATIC_ROOT = env.text("STATIC_ROOT", str(BASE_DIR / "build" / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "portal.npm_finder.NpmFinder",
]
NODE_MODULES = BASE_DIR / "node_modules"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "portal.static_storage.StaticStorage"},
}
MEDIA_ROOT = DATA_DIR / "media"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "media-src": [SELF],
        "frame-src": [SELF],  # the frames that draw diagrams, which have no origin
        "connect-src": [SELF],
        "form-action": [SELF, *providers.origins(SOCIALACCOUNT_PROVIDERS)],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "portal.views.errors.csrf_failure"
# Hub commits carry their files in one body, which is read as a stream; forms stay bounded.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 500
FILE_UPLOAD_TEMP_DIR = str(env.writable(DATA_DIR / "tmp"))
FILE_UPLOAD_HANDLERS = [
    "models_hub.views.upload_limit.BodyLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["portal.authentication.CountedRequests"],
    "DEFAULT_PERMISSION_CLASSES": ["portal.authentication.TokenMayWrite"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.api.parsing.BoundedJSONParser"],
    "EXCEPTION_HANDLER": "portal.api.errors.handle",
    "DEFAULT_SCHEMA_CLASS": "portal.api.schema.Schema",
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,  # `format` is a filter of lists
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Small models portal",
    "DESCRIPTION": "All that the pages do, for programs. Lists come in pages: follow `next`. Errors have one form.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "PREPROCESSING_HOOKS": ["portal.api.schema.only_this_api"],
    "COMPONENT_SPLIT_REQUEST": True,
    "APPEND_COMPONENTS": {"responses": {"TooManyRequests": api_answers.TOO_MANY_REQUESTS}},
    "ENUM_NAME_OVERRIDES": {
        "RepoKind": "models_hub.models.Repo.Kind",
        "ImportKind": ["model", "dataset"],
        "AccessStatus": "models_hub.models.AccessRequest.Status",
        "TopicStatus": "forum.models.Topic.Status",
        "WantedStatus": ["open", "draft", "closed"],
        "TopicKind": "forum.models.Topic.Kind",
        "TalkKind": ["discussion", "question"],
        "PostKindEnum": "forum.models.Post.Kind",
        "RunKind": "models_hub.models.Run.Kind",
        "JobState": "portal.models.Job.State",
        "StudyState": "models_hub.models.Study.State",
        "DeliveryState": "models_hub.models.WebhookDelivery.State",
        "WatchedType": "models_hub.models.webhooks.TARGETS",
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

CELERY_BROKER_URL = env.broker_url()
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "light"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # Redis may be away for long
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# A message needs no rescue: the relay sends it again for as long as its row is due. So Redis keeps no record of
# messages in hand, which it would redeliver by the consumers' clocks.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "max_retries": 1,
    "ack_emulation": False,
}

# Hosts of the own network that webhooks may be sent to; all others there are out of reach.
OUTBOUND_HOSTS = env.names("OUTBOUND_HOSTS")
# Whose signed statements of programs are listened to; * stands for every issuer that uses TLS.
OIDC_ISSUERS = env.names("OIDC_ISSUERS", "https://token.actions.githubusercontent.com,https://gitlab.com")

# Git over SSH: no port, no server. Pages name the address and the port by which people reach it from outside.
SSH_PORT = env.number("SSH_PORT", 0)
SSH_HOST = env.text("SSH_HOST", env.text("HOST", "127.0.0.1"))
SSH_ADDRESS = env.text("SSH_ADDRESS")
SSH_PUBLIC_PORT = env.number("SSH_PUBLIC_PORT", 0)
SSH_HOST_KEY = DATA_DIR / "ssh_host_key"

# What may be stored and sent.
BLOB_DIR = DATA_DIR / "blobs"
# Started as a process of its own: the web process imports neither it nor the library that it needs.
TOKENIZER_PROGRAM = BASE_DIR / "worker" / "engine" / "tokens.py"
# The engine's own list of what it can train and how, read as files for the same reason.
TUNING_REGISTRY = BASE_DIR / "worker" / "engine" / "tuning"
TABLES_MB = env.number("TABLES_MB", 8192)
MAX_FILE_BYTES = env.number("MAX_FILE_GB", 50) * 1024**3
MAX_COMMIT_BODY_BYTES = env.number("MAX_COMMIT_BODY_MB", 512) * 1024**2
# What one owner may hold, unless an admin has set another limit for it.
DELETED_REPOS_DAYS = env.number("DELETED_REPOS_DAYS", 14)
STORAGE_LIMIT_BYTES = env.number("STORAGE_LIMIT_GB", 500) * 1000**3
LFS_THRESHOLD_BYTES = 10 * 1000 * 1000
ALLOW_FORCE_PUSH = env.flag("ALLOW_FORCE_PUSH")
MAX_CARD_BYTES = 1024 * 1024
SIGNED_URL_SECONDS = 3600

# So long each web process keeps what all readers of the forum who are not signed in see alike.
BRIEFLY_SECONDS = 3

# Where the hub reports what becomes of pull requests.
CONVERSATION = "forum.repo_topics.RepoTopics"
# Who else needs commits that no branch leads to any more: functions from a repository's id to ids of commits.
COMMIT_KEEPERS = ["leaderboard.pinning.pinned_commits", "models_hub.adapting.pinning.pinned_commits"]

# Another hub, whose repositories are copied here when somebody asks for them, and hubs that people may import from.
UPSTREAM_HUB = env.text("UPSTREAM_HUB").rstrip("/")
UPSTREAM_TOKEN = env.text("UPSTREAM_TOKEN")
# Whether everybody here may see what only the token may see there.
UPSTREAM_SHARED = env.flag("UPSTREAM_SHARED")
UPSTREAM_MEMBERS_ONLY = env.flag("UPSTREAM_MEMBERS_ONLY")
UPSTREAM_REFRESH_SECONDS = env.number("UPSTREAM_REFRESH_SECONDS", 300)
# How much large content of the upstream hub is kept; 0 is without limit.
UPSTREAM_KEEP_BYTES = env.number("UPSTREAM_KEEP_GB", 0) * 1000**3
IMPORT_HUBS = [address.rstrip("/") for address in env.names("IMPORT_HUBS")]
# Ed25519 keys, in base64, of portals whose bundles are taken; any portal's when there are none.
BUNDLE_KEYS = env.names("BUNDLE_KEYS")
BUNDLE_KEY_FILE = DATA_DIR / "bundle_key"

# How jobs run.
JOB_LEASE_SECONDS = env.number("JOB_LEASE_SECONDS", 30)
JOB_MAX_SECONDS = env.number("JOB_MAX_SECONDS", 3600)
# One attempt may run a model for JOB_MAX_SECONDS and needs some time before and after.
JOB_WALL_SECONDS = 2 * JOB_MAX_SECONDS
JOB_STALL_SECONDS = env.number("JOB_STALL_SECONDS", 900)
JOB_MEMORY_MB = env.number("JOB_MEMORY_MB", 6144)
JOB_DISK_MB = env.number("JOB_DISK_MB", 2048)
# Completed ones of one person in 24 hours; 0 is without limit.
EVALUATIONS_PER_DAY = env.number("EVALUATIONS_PER_DAY", 500)
RUNS_PER_DAY = env.number("RUNS_PER_DAY", 100)
# How long examples of one's own stay with the finder.
OWN_EXAMPLES_DAYS = env.number("OWN_EXAMPLES_DAYS", 14)
WORKER_SLOTS = env.number("WORKER_SLOTS", 1)
WORKER_QUEUES = env.names("WORKER_QUEUES", "light,cpu")
SANDBOX = env.text("SANDBOX", "auto")
WORKER_GPU = env.flag("WORKER_GPU", default=True)
SCRATCH_DIR = env.text("SCRATCH_DIR")
# Set where a worker has no access to the blob store's disk: it then exchanges content with the portal over HTTP.
PORTAL_URL = env.text("PORTAL_URL").rstrip("/")
# For tests: the engine's stand-in, whose scores say so in their engine version.
FAKE_ENGINE = env.flag("PORTAL_FAKE_ENGINE")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"handlers": ["console"], "propagate": False},
        # A page that does not exist, a form that expired and a malformed request are answers, not events of this
        # installation: anybody may send thousands, and each of the last would be a traceback in the log.
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "CRITICAL"},
    },
}

SITE_NAME = env.text("SITE_NAME") or _("Small Models Portal")

UNFOLD = appearance.of(SITE_NAME)
# Whether the administration opens only for staff with a second factor.
ADMIN_SECOND_FACTOR = env.flag("ADMIN_SECOND_FACTOR", default=True)
