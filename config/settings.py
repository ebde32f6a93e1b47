"""Settings, all of them. What differs between installations comes from the environment; see docs/operations.md."""

from __future__ import annotations

import json
from pathlib import Path

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("DJANGO_DEBUG", False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# A public host has neither; staff have a host of their own (docs/operations.md).
PUBLIC_DOCS = env.bool("PUBLIC_DOCS", DEBUG)
ADMIN_ENABLED = env.bool("ADMIN_ENABLED", DEBUG)
# The plain page for players at "/" (docs/page.md). As a demo it signs guests in by one tap and makes codes for them.
PAGE_ENABLED = env.bool("PAGE_ENABLED", True)
DEMO_SIGN_IN = env.bool("DEMO_SIGN_IN", DEBUG)

# Secrets. Every ring maps a key id to a key; the first signs, all of them verify (fortunes/secretkeys.py). Web
# processes neither settle nor send messages, so the keys of that may be missing there.


def _read_secrets() -> dict:
    path = env.str("FORTUNES_SECRETS", "")
    if not path:
        raise ImproperlyConfigured(
            "FORTUNES_SECRETS must name the secrets file, see docs/operations.md; ./dev makes one"
        )
    secrets: dict = json.loads(Path(path).read_text(encoding="utf-8"))
    return secrets


def _ring(name: str, *, may_be_missing: bool = False) -> dict[str, bytes]:
    ring = {key_id: bytes.fromhex(key) for key_id, key in _secrets.get(name, {}).items()}
    if not ring and not may_be_missing:
        raise ImproperlyConfigured(
            f"the secrets file has no {name}; `python -m config.local.secrets complete` adds them"
        )
    return ring


_secrets = _read_secrets()
SECRET_KEY = _secrets["django_secret_key"]
ACCESS_TOKEN_KEYS = _ring("access_token_keys")
SCAN_CODE_KEYS = _ring("scan_code_keys")
DRAW_KEYS = _ring("draw_keys")
SETTLEMENT_KEYS = _ring("settlement_keys", may_be_missing=True)
PHONE_HASH_KEYS = _ring("phone_hash_keys")
PHONE_ENCRYPTION_KEYS = _ring("phone_encryption_keys")
SIGN_IN_KEYS = _ring("sign_in_keys")
MESSAGE_KEYS = _ring("message_keys", may_be_missing=True)
PUSH_KEYS = _ring("push_keys", may_be_missing=True)

# Applications

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "csp",
    "config",
    "fortunes",
    "accounts",
    "cards",
    "redpackets",
]
AUTH_USER_MODEL = "accounts.Player"
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.CorsMiddleware",
    "config.middleware.ApiMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "config.staff.StaffMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# PostgreSQL, as the role fortunes_app, which can't change what is append-only. Migrations run with the owner's address
# in DATABASE_URL. Connections live as long as the thread that uses them, and there are few such threads.

DATABASES = {"default": env.db_url("DATABASE_URL", engine="config.database")}
DATABASES["default"] |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True, "ATOMIC_REQUESTS": False}
# A database's host that vanishes says nothing: without these a worker would wait for its answer for two hours.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    # From the fifth time on, of the hot statements (fortunes/sql). Not behind a PgBouncer before 1.21 that pools
    # transactions: there the next one is on a connection that has never heard of it.
    "prepare_threshold": 5 if env.bool("DATABASE_PREPARE", True) else None,
    **DATABASES["default"].get("OPTIONS", {}),
}

# A folder on the database's disk, if that is this host's: /readyz tells when less than 1 GiB is free.
DATABASE_DISK = env.str("DATABASE_DISK", "")

# Redis or Valkey: broker, doorbell, presence and throttle counters; authoritative for none of them.

REDIS_URL = env.str("REDIS_URL")
REDIS_PREFIX = env.str("REDIS_PREFIX", "fortunes")

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": REDIS_PREFIX,
        # A thread waits for it, and what it counts is not worth more (accounts/throttles.py).
        "OPTIONS": {"socket_timeout": 0.2, "socket_connect_timeout": 0.2},
    }
}
DOORBELL = "config.doorbell.ring"
PRESENCE = "config.presence.look"
PRESENCE_ASKED = "config.whereabouts.ask"
JOB_STARTER = "config.celery.start"
BLOCKED_PLAYERS = "accounts.friends.blocked_by"

CELERY = {
    "broker_url": REDIS_URL,
    "broker_connection_retry_on_startup": True,
    "broker_transport_options": {
        "global_keyprefix": f"{REDIS_PREFIX}:",
        "socket_timeout": 5,
        "visibility_timeout": 600,
    },
    "task_default_queue": "fortunes",
    "task_ignore_result": True,
    "task_serializer": "json",
    "accept_content": ["json"],
    "worker_prefetch_multiplier": 1,
    "worker_hijack_root_logger": False,
    "beat_max_loop_interval": 1,
    "timezone": "UTC",
}

# The API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.AccessTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["config.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["config.parsers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "config.schema.Schema",
    "EXCEPTION_HANDLER": "config.problems.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Five Fortunes",
    "DESCRIPTION": "A card-collection season: scan, trade with friends, split the pool.",
    "VERSION": "1",
    # Structs say null as JSON Schema does.
    "OAS_VERSION": "3.1.1",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "config.schema.add_problems"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    # Each type of trade has a body of its own.
    "ENUM_NAME_OVERRIDES": {"GiftType": ["gift"], "RequestType": ["request"], "SwapType": ["swap"]},
}
MAX_BODY_BYTES = 16 * 1024
# Pages of these origins may use the API from a browser, besides pages from the server's own address.
CORS_ORIGINS = env.list("CORS_ORIGINS", default=[])
# How long the whole of a request may take to arrive, and each part of an answer to leave.
CLIENT_PATIENCE_S = env.float("CLIENT_PATIENCE_S", 10)

# Sockets. Browsers name the page's origin: these may open one, besides pages from the server's own address. Native apps
# name none and are let in: no cookie signs a socket in, so there is nothing that a page could ride on unseen.
SOCKET_ORIGINS = env.list("SOCKET_ORIGINS", default=[])
# How often, in seconds, the feeds of connected players are compared while Redis is well. Every second while it isn't.
SOCKET_POLL_S = env.int("SOCKET_POLL_S", 10)
SOCKET_ALLOW_NO_ORIGIN = env.bool("SOCKET_ALLOW_NO_ORIGIN", True)

# Sign-in

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# A quarter of a second of work a password, so that a stolen table is worth little. With DEBUG far less: the hundreds of
# players of `./dev demo` sign up and in on a developer's two cores.
PASSWORD_HASHERS = ["config.hashers.PBKDF2"]
PASSWORD_ITERATIONS = env.int("PASSWORD_ITERATIONS", 20_000 if DEBUG else 1_000_000)
# A process has eight threads for requests, and hashes on so many of them at most (accounts/hashing.py).
PASSWORD_HASHES_AT_ONCE = env.int("PASSWORD_HASHES_AT_ONCE", 64 if DEBUG else 4)
# Five wrong passwords lock out (accounts/lockouts.py), in the admin as well.
AUTHENTICATION_BACKENDS = ["accounts.backends.PasswordBackend"]
# The host apps whose tokens sign their users in: a JSON file (accounts/issuers.py, docs/sign-in.md), or none.
FEDERATION_FILE = env.str("FEDERATION_FILE", "")
ACCESS_TOKEN_LIFETIME_S = env.int("ACCESS_TOKEN_LIFETIME_S", 15 * 60)
REFRESH_LIFETIME_S = env.int("REFRESH_LIFETIME_S", 30 * 24 * 3600)

# Phones. Numbers without a country's code are of this region. Text messages leave through the worker: "console" writes
# them to its standard error, codes and all; "gateway" posts them to an address, signed; with "off" there is no sign-in
# by phone.
PHONE_REGION = env.str("PHONE_REGION", "CN")
SMS_SENDER = env.str("SMS_SENDER", "console" if DEBUG else "off")
SMS_GATEWAY_URL = env.str("SMS_GATEWAY_URL", "")
if SMS_SENDER not in ("console", "gateway", "off"):
    raise ImproperlyConfigured("SMS_SENDER is console, gateway or off")
if SMS_SENDER == "gateway" and not SMS_GATEWAY_URL.startswith(("https://", "http://") if DEBUG else "https://"):
    raise ImproperlyConfigured("SMS_GATEWAY_URL must be the https:// address of the gateway")

# Players who are away are told of events by their host app's push service (docs/push.md), except in these hours: what
# somebody has who hasn't chosen their own.
PUSH_QUIET_HOURS = env.str("PUSH_QUIET_HOURS", "23:00-08:00")
PUSH_TIME_ZONE = env.str("PUSH_TIME_ZONE", "Asia/Shanghai")

# Limits for comfort: the last of one player, the others of one address. With DEBUG hundreds of simulated players come
# from one address, so that there those are no limits.
SIGN_UPS_PER_MINUTE = env.int("SIGN_UPS_PER_MINUTE", 1_000_000 if DEBUG else 30)
PHONE_CODES_PER_MINUTE = env.int("PHONE_CODES_PER_MINUTE", 1_000_000 if DEBUG else 10)
SIGN_INS_PER_MINUTE = env.int("SIGN_INS_PER_MINUTE", 1_000_000 if DEBUG else 60)
REFRESHES_PER_MINUTE = env.int("REFRESHES_PER_MINUTE", 1_000_000 if DEBUG else 600)
ASKS_PER_MINUTE = env.int("ASKS_PER_MINUTE", 30)

# Words that no note and no comment may have, besides those of fortunes/words/; the same spelling (fortunes/wording.py).
UNWELCOME_WORDS = env.list("UNWELCOME_WORDS", default=[])

# The most comments of one player in 24 hours; five a minute besides (fortunes/commenting.py).
COMMENTS_PER_DAY = env.int("COMMENTS_PER_DAY", 50)

# The most that staff may pay a player as one compensation.
COMPENSATION_LIMIT_FEN = env.int("COMPENSATION_LIMIT_FEN", 20_000)

# Languages and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# The admin. Its colours are shades of the red of a packet. Its instants are shown and typed in the staff's time zone.

LOGIN_REDIRECT_URL = "admin:index"
STAFF_TIME_ZONE = env.str("STAFF_TIME_ZONE", "Asia/Shanghai")
UNFOLD = {
    "SITE_TITLE": _("Five Fortunes"),
    "SITE_HEADER": _("Five Fortunes"),
    "SITE_SYMBOL": "redeem",
    "SITE_URL": None,
    "SHOW_LANGUAGES": True,
    "LOGIN": {"form": "accounts.backends.StaffSignInForm"},
    "SIDEBAR": {"navigation": "config.staff.sidebar"},
    "COLORS": {
        "primary": {
            "50": "oklch(97.1% .013 17.38)",
            "100": "oklch(93.6% .032 17.717)",
            "200": "oklch(88.5% .062 18.334)",
            "300": "oklch(80.8% .114 19.571)",
            "400": "oklch(70.4% .191 22.216)",
            "500": "oklch(63.7% .237 25.331)",
            "600": "oklch(57.7% .245 27.325)",
            "700": "oklch(50.5% .213 27.518)",
            "800": "oklch(44.4% .177 26.899)",
            "900": "oklch(39.6% .141 25.723)",
            "950": "oklch(25.8% .092 26.042)",
        },
    },
}

# Where workers append the heads of the audit's chain, best on a disk that this installation can't write to otherwise.
AUDIT_HEADS_FILE = env.str("AUDIT_HEADS_FILE", "")

# Metrics, at /metrics: open to all who reach the process, or to whoever bears the token. With neither there are none.

METRICS_ENABLED = env.bool("METRICS_ENABLED", DEBUG)
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
METRICS_DIR = env.str("METRICS_DIR", "")

# Static files

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / ".local" / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# Security

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
BEHIND_TLS = env.bool("BEHIND_TLS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_TLS
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Only staff have sessions. One ends when nothing was done for so long (config/staff.py), or with the browser.
SESSION_COOKIE_AGE = env.int("STAFF_IDLE_S", 30 * 60)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Logs go to stderr, a JSON object a line; with DEBUG they are for eyes. Every line passes config/logs.py, which keeps
# tokens, codes, phones and the words of errors out, and so must the loggers that bring handlers of their own.

LOG_REQUESTS = env.bool("LOG_REQUESTS", not DEBUG)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"ours": {"()": "config.logs.Formatter", "readable": DEBUG}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.server": {"level": "ERROR", "handlers": [], "propagate": True},
        # A traceback for every stranger who asks under a wrong name.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django": {"handlers": [], "propagate": True},
        "httpx": {"level": "WARNING"},
        # At INFO it tells the address of everybody who opens a socket.
        "uvicorn": {"level": "WARNING", "handlers": [], "propagate": True},
        "uvicorn.error": {"level": "WARNING", "handlers": [], "propagate": True},
        "uvicorn.access": {"level": "WARNING", "handlers": [], "propagate": True},
        "celery": {"level": "WARNING"},
        # It quotes the words of what a task has raised; config/celery.py tells that.
        "celery.app.trace": {"level": "CRITICAL"},
    },
}
