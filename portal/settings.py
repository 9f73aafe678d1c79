"""Django's settings. What differs between machines comes from the environment (:mod:`portal.environment`)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import dj_database_url
from csp.constants import NONCE, NONE, SELF

from portal.environment import WrongEnvironment, read_environment
from portal.logs import logging_config
from portal.secret_key import secret_key

try:
    ENVIRONMENT = read_environment()
    BASE_DIR = Path(__file__).resolve().parent.parent
    DATA_DIR: Path = ENVIRONMENT["DATA_DIR"]
    DEMO: bool = ENVIRONMENT["DEMO"]
    SECRET_KEY = secret_key(ENVIRONMENT["SECRET_KEY"], DATA_DIR, demo=DEMO)
except WrongEnvironment as error:
    sys.exit(f"The portal cannot start. {error}")

DEBUG = False
ALLOWED_HOSTS = list(ENVIRONMENT["ALLOWED_HOSTS"])
CSRF_TRUSTED_ORIGINS = list(ENVIRONMENT["CSRF_TRUSTED_ORIGINS"])

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "backups.apps.BackupsConfig",
    "restores.apps.RestoresConfig",
    "checkups.apps.CheckupsConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    "simple_history",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.SignInRequired",
    "portal.middleware.ActingUser",
    "portal.middleware.ErrorPages",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.navigation",
            ],
        },
    }
]

# Database. SQLite: IMMEDIATE transactions serialise writers, WAL lets readers go on.
DATABASES = {"default": dj_database_url.parse(ENVIRONMENT["DATABASE_URL"], conn_max_age=60, conn_health_checks=True)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
    }
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
elif DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # A server that is gone is known to be gone before a person, or a supervisor that asks for health, gives up.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Time and words
USE_TZ = True
TIME_ZONE = "UTC"
POLICY_TIME_ZONE: str = ENVIRONMENT["POLICY_TIME_ZONE"]
LANGUAGE_CODE = "en"
USE_I18N = False

# Sign-in
AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "portal.accounts.TokensEndWithThePassword"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "start"
ACCOUNT_ADAPTER = "portal.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # such mail would invite to sign up
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_FORMS = {"login": "portal.accounts.SignInForm"}

# Cookies, headers
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = ENVIRONMENT["HTTPS"]
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # asked from this machine, by supervisors
SECURE_HSTS_SECONDS = 31_536_000 if ENVIRONMENT["HTTPS"] else 0
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # subdomains and preload are the domain owner's decision
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if ENVIRONMENT["BEHIND_PROXY"]:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

# Static files
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static-collected"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Work
CELERY_BROKER_URL = ENVIRONMENT["BROKER_URL"]
EMBEDDED_BROKER = CELERY_BROKER_URL.startswith("filesystem://")
if EMBEDDED_BROKER:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": str(DATA_DIR / "cache"),
        }
    }
else:
    CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": ENVIRONMENT["BROKER_URL"]}
    }

# Backups and restores
STORE_REGIONS: dict[str, str] = ENVIRONMENT["STORE_REGIONS"]
FILES_ROOTS: tuple[Path, ...] = ENVIRONMENT["FILES_ROOTS"]
BACKUP_WINDOW: tuple[time, timedelta] = ENVIRONMENT["BACKUP_WINDOW"]
RETENTION_LIMIT_PERCENT: int = ENVIRONMENT["RETENTION_LIMIT_PERCENT"]
VERIFY_MB_PER_SECOND: int = ENVIRONMENT["VERIFY_MB_PER_SECOND"]
STALLED_SECONDS: int = ENVIRONMENT["STALLED_SECONDS"]
NIGHTLY_HOUR: int = ENVIRONMENT["NIGHTLY_HOUR"]
DIGEST_HOUR: int = ENVIRONMENT["DIGEST_HOUR"]
PORTAL_URL: str = ENVIRONMENT["PORTAL_URL"].rstrip("/")
SCRATCH_DIR: Path = ENVIRONMENT["SCRATCH_DIR"]
CHECKUP_AT_ONCE: int = ENVIRONMENT["CHECKUP_AT_ONCE"]
CHECKUP_SCRATCH_GB: int = ENVIRONMENT["CHECKUP_SCRATCH_GB"]
CHECKUP_PROVIDER_GB: int = ENVIRONMENT["CHECKUP_PROVIDER_GB"]
CHECKUP_SERVERS: Mapping[str, Mapping[str, str]] = ENVIRONMENT["CHECKUP_SERVERS"]
CHECKUP_HTTP_HOSTS: tuple[str, ...] = ENVIRONMENT["CHECKUP_HTTP_HOSTS"]
CHECKUP_PROGRAMS_DIR: Path | None = ENVIRONMENT["CHECKUP_PROGRAMS_DIR"]
KEEP_ORIGINAL_DAYS: int = ENVIRONMENT["KEEP_ORIGINAL_DAYS"]
REQUEST_DAYS: int = ENVIRONMENT["REQUEST_DAYS"]
CONSENT_DAYS: int = ENVIRONMENT["CONSENT_DAYS"]
ATTACHMENTS_DIR = DATA_DIR / "attachments"  # no web server's business: handed out by a view alone
ATTACHMENT_BYTES: int = ENVIRONMENT["ATTACHMENT_MB"] * 1_000_000
DEFAULT_CURRENCY: str = ENVIRONMENT["DEFAULT_CURRENCY"]
BESIDE_DAYS: int = ENVIRONMENT["BESIDE_DAYS"]
KEEP_LONGEST_DAYS: int = ENVIRONMENT["KEEP_LONGEST_DAYS"]
EXPORT_DAYS: int = ENVIRONMENT["EXPORT_DAYS"]
RESEND_AFTER_SECONDS: int = ENVIRONMENT["RESEND_AFTER_SECONDS"]
HEARTBEAT_LOST_SECONDS: int = ENVIRONMENT["HEARTBEAT_LOST_SECONDS"]
SWEEP_SECONDS: int = ENVIRONMENT["SWEEP_SECONDS"]

ZABBIX_WEBHOOK_SECRET: str = ENVIRONMENT["ZABBIX_WEBHOOK_SECRET"]

# API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "portal.api.paging.NewestFirst",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_RATES": {"sign-in": "10/min", "zabbix": "300/min"},
    "EXCEPTION_HANDLER": "portal.api.errors.answer",
    "PAGE_SIZE": 50,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
REST_KNOX = {"TOKEN_TTL": None, "USER_SERIALIZER": None}
SPECTACULAR_SETTINGS = {
    "TITLE": "HaaS backup portal",
    "DESCRIPTION": "Backups of hosted resources, and documented requests to restore them.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "RestoreRequestStatusEnum": "restores.api.choices.REQUEST_STATUSES",
        "IncidentStatusEnum": "restores.api.choices.INCIDENT_STATUS_CHOICES",
        "CheckupStatusEnum": "checkups.api.choices.CHECKUP_STATUSES",
        "CheckupFindingResultEnum": "checkups.api.choices.FINDING_RESULTS",
        "CheckResultEnum": "checkups.api.choices.CHECK_RESULTS",
        "TrialStatusEnum": "checkups.api.choices.TRIAL_STATUSES",
        "ProofEnum": "checkups.api.choices.LEVELS",
        "ModeEnum": "restores.api.choices.MODES",
        "CauseEnum": "restores.api.choices.CAUSES",
    },
}

# Mail
DEFAULT_FROM_EMAIL = ENVIRONMENT["EMAIL_FROM"]
if ENVIRONMENT["EMAIL_URL"]:
    _mail = urlsplit(ENVIRONMENT["EMAIL_URL"])
    EMAIL_HOST, EMAIL_PORT = _mail.hostname or "localhost", _mail.port or 25
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
    EMAIL_USE_TLS = parse_qs(_mail.query).get("tls") == ["1"]
    EMAIL_TIMEOUT = 20
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"

IT_CHANNELS: tuple[str, ...] = ENVIRONMENT["IT_CHANNELS"]

LOGGING_CONFIG = None
logging_config(ENVIRONMENT["LOG_LEVEL"])
SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_ENABLED = True
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True  # a reason is kept whole
