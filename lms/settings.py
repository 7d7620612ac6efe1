"""Settings, from the environment only. `docs/operating.md` lists every variable."""

# ruff: noqa: E402
import gc

gc.disable()  # until lms.apps is ready: a fifth of every start went into looking for garbage where there is none
import os
import ssl
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
from csp.constants import NONCE, NONE, SELF

from core.logging import configure
from lms.databases import database
from lms.environment import DEVELOPMENT_SECRET, DEVELOPMENT_SEED, Environment
from lms.messages import messages
from lms.schedule import SCHEDULE
from lms.theme import theme
from lms.xapi import xapi

django_stubs_ext.monkeypatch()  # lets ModelAdmin[Programme] and its like be written at run time too
BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

DJANGO_ENV = env.choice("DJANGO_ENV", ("development", "production"), "development")
PRODUCTION = DJANGO_ENV == "production"
DEBUG = env.flag("DEBUG", default=not PRODUCTION)
VAR_DIR = env.path("VAR_DIR", BASE_DIR / "var")
SITE_NAME = env.text("SITE_NAME", "Rounds")
SITE_URL = env.text("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
SECRET_KEY = env.text("SECRET_KEY", "" if PRODUCTION else DEVELOPMENT_SECRET)
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
# The first signs certificates. None in production: nothing is issued, and whoever tries is told so.
CERTIFICATE_KEYS = env.seeds("CERTIFICATE_KEYS") or (() if PRODUCTION else (DEVELOPMENT_SEED,))
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", () if PRODUCTION else ("127.0.0.1", "localhost", "[::1]", "testserver"))
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0, high=10)

INSTALLED_APPS = [
    *(["daphne"] if "runserver" in sys.argv[1:2] else []),  # half a second of every start of anything else
    "lms.office.OfficeConfig",  # the theme of the admin
    "unfold.contrib.filters",
    "django.contrib.admin.apps.SimpleAdminConfig",  # lms.urls reads what the apps show in it
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "channels",
    "csp",
    "django_countries",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "phonenumber_field",
    "rest_framework",
    "storages",
    "core",
    "accounts",
    "media",
    "courses",
    "webinars",
    "assessments",
    "certification",
    "analytics",
    "reminders",
    "operations",
    "lms",
]

MIDDLEWARE = [
    "lms.health.HealthMiddleware",
    "core.shedding.middleware.SheddingMiddleware",
    "core.middleware.RequestIdMiddleware",
    "core.tracing.TraceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.csp.PolicyMiddleware",
    "core.caching.PrivateByDefaultMiddleware",
    "lms.status.StatusMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.DeviceMiddleware",
    "accounts.middleware.PreferencesMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.StaffSecondStepMiddleware",
    "accounts.middleware.HashPoolMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

# A queue that stands so long before the threads of a process makes newcomers wait in line; 0: nobody ever waits.
SHED_JOIN_MS = env.number("SHED_JOIN_MS", 500 if PRODUCTION else 0, high=60_000)
SHED_READ_MS = env.number("SHED_READ_MS", 3_000, low=100, high=60_000)  # ... and now reading pages waits too
ENTRY_SECONDS = env.number("ENTRY_MINUTES", 30, low=1, high=1440) * 60  # who is in stays in, without the line

ROOT_URLCONF = "lms.urls"
WSGI_APPLICATION = "lms.wsgi.application"
ASGI_APPLICATION = "lms.development.application"  # of runserver; the realtime tier serves lms.asgi:application

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lms.context.site",
            ],
        },
    }
]

DATABASE_URL = env.url("DATABASE_URL", "postgresql", "postgres")
REDIS_URL = env.url("REDIS_URL", "redis", "rediss", "unix")
if not (DATABASE_URL and REDIS_URL) and not PRODUCTION:
    from lms.embedded import not_running, running_urls

    # Commands that need no database (makemigrations, type checking) work without the servers; the others say where
    # nothing listened, in a path that names the cure.
    _running = running_urls(VAR_DIR) or not_running(VAR_DIR)
    DATABASE_URL = DATABASE_URL or _running.database_url
    REDIS_URL = REDIS_URL or _running.redis_url
DATABASES = {"default": database(DATABASE_URL, env=env)}
if DATABASE_REPLICA_URL := env.url("DATABASE_REPLICA_URL", "postgresql", "postgres"):  # core.replica
    DATABASES["replica"] = database(DATABASE_REPLICA_URL, env=env, is_copy=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 2, "SOCKET_TIMEOUT": 2, "IGNORE_EXCEPTIONS": True},
        "KEY_PREFIX": "lms",
    }
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = env.number("SESSION_DAYS", 30, low=1, high=365) * 86400
SESSION_IDLE_HOURS = env.number("SESSION_IDLE_HOURS", 336, low=1, high=8760)
STAFF_IDLE_HOURS = env.number("STAFF_IDLE_HOURS", 12, low=1, high=720)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = False

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend", "lms.backends.RoleBackend"]
PASSWORD_HASHERS = ["core.hashing.BoundedArgon2PasswordHasher"]
PASSWORD_HASH_SLOTS = env.number("PASSWORD_HASH_SLOTS", 2, low=1, high=64)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# A browser session is as long as SESSION_DAYS says; nobody is asked whether to be remembered.
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
# Ours (accounts.domain.limits) count per account; 500 doctors behind one hospital address share these.
ACCOUNT_RATE_LIMITS = {"login_failed": "600/m/ip,10/600s/key"}
MFA_ADAPTER = "accounts.adapters.MfaAdapter"
MFA_FORMS = {
    "authenticate": "accounts.forms.SecondStepForm",
    "reauthenticate": "accounts.forms.SecondStepAgainForm",
    "edit_webauthn": "accounts.forms.PasskeyNameForm",
}
MFA_RATE_LIMITS = {"webauthn_login": "1200/m/ip"}
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
MFA_TOTP_TOLERANCE = 1
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
DEVICE_LIMIT = env.number("DEVICE_LIMIT", 3, low=1, high=50)
INVITATION_DAYS = env.number("INVITATION_DAYS", 30, low=1, high=365)
SIGN_IN_MINUTES = env.number("SIGN_IN_MINUTES", 10, low=1, high=10)

EMAIL_BACKEND = env.text(
    "EMAIL_BACKEND",
    "django.core.mail.backends.smtp.EmailBackend" if PRODUCTION else "lms.dev_mail.FolderBackend",
)
EMAIL_FILE_PATH = VAR_DIR / "mail"
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 25, low=1, high=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"{SITE_NAME} <no-reply@localhost>")
SHOW_SENT_MAIL = env.flag("SHOW_SENT_MAIL", default=DEBUG)
MESSAGES = messages(env, production=PRODUCTION)
XAPI = xapi(env, site_url=SITE_URL, production=PRODUCTION)

LANGUAGES = env.languages("LANGUAGES", ("en",))  # their names are translated by Django's own catalogues
LANGUAGE_CODE = LANGUAGES[0][0]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", VAR_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
AWS_REGION = env.text("AWS_REGION", "eu-central-1")
AWS_ENDPOINT_URL = env.text("AWS_ENDPOINT_URL")
AUTOSCALE_CLUSTER = env.text("AUTOSCALE_CLUSTER")  # empty: nothing follows the calendar
AUTOSCALE_CONNECTIONS = env.number("AUTOSCALE_CONNECTIONS", 0, high=1_000_000)  # that PgBouncer takes; 0: no PgBouncer
AUTOSCALE_SERVICES = env.words("AUTOSCALE_SERVICES", ("web=web:2-20", "realtime=realtime:2-20", "worker=worker:1-10"))
MEDIA_STORAGE = env.choice("MEDIA_STORAGE", ("local", "s3"), "local")
MEDIA_ROOT = env.path("MEDIA_ROOT", VAR_DIR / "media")
MEDIA_BUCKET = env.text("MEDIA_BUCKET")
MEDIA_GRANTS = env.choice("MEDIA_GRANTS", ("django", "nginx", "cloudfront"), "django")
MEDIA_GRANT_SECONDS = env.number("MEDIA_GRANT_SECONDS", 600, low=30, high=600)
MEDIA_COOKIE_DOMAIN = env.text("MEDIA_COOKIE_DOMAIN")
MEDIA_CLOUDFRONT_DOMAIN = env.text("MEDIA_CLOUDFRONT_DOMAIN")
MEDIA_CLOUDFRONT_KEY_ID = env.text("MEDIA_CLOUDFRONT_KEY_ID")
MEDIA_CLOUDFRONT_PRIVATE_KEY = env.text("MEDIA_CLOUDFRONT_PRIVATE_KEY")
MEDIA_WORK_DIR = env.path("MEDIA_WORK_DIR", VAR_DIR / "media-work")
MEDIA_MAX_VIDEO_HOURS = env.number("MEDIA_MAX_VIDEO_HOURS", 6, low=1, high=48)
MEDIA_MAX_SOURCE_GIB = env.number("MEDIA_MAX_SOURCE_GIB", 30, low=1, high=4096)
MEDIA_UPLOAD_PART_MIB = env.number("MEDIA_UPLOAD_PART_MIB", 8, low=5, high=1024)
MEDIA_UPLOAD_DAYS = env.number("MEDIA_UPLOAD_DAYS", 7, low=1, high=90)
MEDIA_LADDER_MAX_HEIGHT = env.number("MEDIA_LADDER_MAX_HEIGHT", 1080, low=240, high=1080)
MEDIA_FFMPEG_THREADS = env.number("MEDIA_FFMPEG_THREADS", 0, high=256)
MEDIA_FFMPEG_NICE = env.number("MEDIA_FFMPEG_NICE", 10, high=19)
MEDIA_LEASE_SECONDS = env.number("MEDIA_LEASE_SECONDS", 120, low=30, high=3600)
LIVE_SEGMENT_DAYS = env.number("LIVE_SEGMENT_DAYS", 30, low=1, high=3650)
LIVE_EVENT_DAYS = env.number("LIVE_EVENT_DAYS", 90, low=1, high=3650)
MEDIA_MAX_ATTEMPTS = env.number("MEDIA_MAX_ATTEMPTS", 3, low=1, high=20)
RTMP_HOST = env.text("RTMP_HOST", "127.0.0.1")
RTMP_PORT = env.number("RTMP_PORT", 1935, low=1, high=65535)
RTMP_URL = env.text("RTMP_URL")  # what presenters enter; empty: made from SITE_URL's host and RTMP_PORT
RTMP_SHARED_SECRET = env.text("RTMP_SHARED_SECRET")
RTMP_CONTROL_URL = env.text("RTMP_CONTROL_URL", "http://127.0.0.1:8090/control")
RTMP_PULL_URL = env.text("RTMP_PULL_URL", "rtmp://127.0.0.1:1935/live")
if RTMP_SHARED_SECRET:  # nginx asks by this name, without TLS, on this machine
    ALLOWED_HOSTS = [*ALLOWED_HOSTS, "127.0.0.1"]
    SECURE_REDIRECT_EXEMPT = [r"^internal/rtmp/"]
LIVE_WORK_DIR = env.path("LIVE_WORK_DIR", VAR_DIR / "live-work")
LIVE_CPU_CORES = env.number("LIVE_CPU_CORES", os.cpu_count() or 1, low=1, high=256)
LIVE_MAX_KBITS = env.number("LIVE_MAX_KBITS", 8000, low=200, high=100_000)
LIVE_GRANT_SECONDS = env.number("LIVE_GRANT_SECONDS", 60, low=20, high=600)
LIVE_IVS_RECORDING_ARN = env.text("LIVE_IVS_RECORDING_ARN")
LIVE_IVS_PLAYBACK_PRIVATE_KEY = env.text("LIVE_IVS_PLAYBACK_PRIVATE_KEY")
LIVE_IVS_PATIENCE_MINUTES = env.number("LIVE_IVS_PATIENCE_MINUTES", 60, low=1, high=1440)
LIVE_IVS_MAX_GIB = env.number("LIVE_IVS_MAX_GIB", 50, low=1, high=4096)
METRICS_NETWORKS = env.networks("METRICS_NETWORKS", ("127.0.0.0/8", "::1/128"))  # who may read /metrics
SENTRY_DSN = env.url("SENTRY_DSN", "https", "http")  # empty: nothing is sent
OTEL_EXPORTER_OTLP_ENDPOINT = env.url("OTEL_EXPORTER_OTLP_ENDPOINT", "https", "http")
OTEL_SERVICE_NAME = env.text("OTEL_SERVICE_NAME", "rounds")
BACKUP_URL = env.text("BACKUP_URL", str(VAR_DIR / "backups"))  # a directory, or s3://bucket/prefix
BACKUP_KEEP = env.number("BACKUP_KEEP", 14, low=1, high=1000)
BACKUP_MAX_AGE_HOURS = env.number("BACKUP_MAX_AGE_HOURS", 26, low=1, high=8760)
LEDGER_BUCKET = env.text("LEDGER_BUCKET")  # with object lock; empty: no copies of published heads


def _static_storage() -> str:
    """Hashed names wherever DEBUG is off; compression (36 s for the admin's files) where a release is built."""
    if DEBUG:
        return "django.contrib.staticfiles.storage.StaticFilesStorage"
    if PRODUCTION:
        return "core.static.CompressedHashedFiles"
    return "core.static.HashedFiles"


STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": _static_storage()},
    "media": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(MEDIA_ROOT)}}
    if MEDIA_STORAGE == "local"
    else {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": MEDIA_BUCKET,
            "endpoint_url": AWS_ENDPOINT_URL or None,
            "region_name": AWS_REGION,
            "default_acl": None,
            "file_overwrite": True,
            "querystring_auth": True,
        },
    },
}

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED} if REDIS_URL.startswith("rediss:") else None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "lms.beat.Scheduler"
CELERY_REDBEAT_REDIS_URL = REDIS_URL
CELERY_REDBEAT_LOCK_TIMEOUT = 30
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_TIMEZONE = "UTC"
# Transcoding takes hours of CPU: it has a queue and a worker of its own, so that e-mail never waits for it.
# What takes a minute has a third one: neither mail nor the sweeps of a live webinar wait for a list of people.
_LONG = ["courses.tasks.run_import", "webinars.put_together", "webinars.fetch_recording"]
_LONG += ["assessments.make_due_reports", "certification.make_file", "certification.make_missing_files"]
_LONG += ["certification.make_packs", "certification.make_transcript", "analytics.sweep_rollups"]
CELERY_TASK_ROUTES = {"media.tasks.transcode": {"queue": "media"}, **{name: {"queue": "long"} for name in _LONG}}
# What speaks to providers, and what plans for thousands: sign-in mail never waits for a burst of messages.
_MESSAGES = ["reminders.plan", "reminders.send", "reminders.reconcile", "reminders.tidy"]
_MESSAGES += ["reminders.send_phone_code", "reminders.tell_of_phone", "reminders.sweep_phone_codes"]
CELERY_TASK_ROUTES |= {name: {"queue": "reminders"} for name in _MESSAGES}
CELERY_TASK_DEFAULT_QUEUE = "default"
# Redis hands an unacknowledged task out again after this time; a shorter one would transcode long lectures twice.
# A Redis that hangs must not hold the request that rings a doorbell; a worker's own wait for tasks is one second.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 12 * 3600,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BEAT_SCHEDULE = dict(SCHEDULE)
if LIVE_IVS_PLAYBACK_PRIVATE_KEY:  # who may stay no longer loses the picture within five seconds
    CELERY_BEAT_SCHEDULE["cut-off-ivs"] = {"task": "webinars.cut_off_ivs", "schedule": 3.0, "options": {"expires": 3.0}}

CHANNEL_LAYERS: dict[str, dict[str, Any]] = {}
# Browsers of these origins may open WebSockets: exactly, scheme and port included. Others, and none, are refused.
SOCKET_ORIGINS = frozenset(env.words("SOCKET_ORIGINS", [SITE_URL]))
if not PRODUCTION and SITE_URL.startswith("http://"):
    _port = urlsplit(SITE_URL).port or 80
    SOCKET_ORIGINS |= {f"http://{name}:{_port}" for name in ("127.0.0.1", "localhost", "[::1]")}
# An honest player sends about six messages a minute, and its unacknowledged ones again after a reconnect.
SOCKET_MESSAGES_PER_MINUTE = env.number("SOCKET_MESSAGES_PER_MINUTE", 100, low=1)
SOCKET_LIMIT = env.number("SOCKET_LIMIT", 25_000, low=1)  # of one process; measured with 15,000
SOCKET_MESSAGE_BURST = env.number("SOCKET_MESSAGE_BURST", 200, low=1)
MAX_PLAYBACK_RATE = 2.0
CREDIT_SLACK_SECONDS = 10

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["core.api.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["core.throttling.Throttle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "core.api.problems.handle_exception",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
# (requests, seconds): a burst and a sustained rate. "anonymous" counts by address, the others by person.
API_RATES: dict[str, tuple[tuple[int, int], ...]] = {
    "api": ((240, 60), (5_000, 3600)),
    "beats": ((600, 60), (20_000, 3600)),
    "polls": ((60, 60), (2_400, 3600)),
    "reports": ((30, 60), (600, 3600)),
    "anonymous": ((120, 60), (2_000, 3600)),
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": f"{SITE_NAME} API",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "OAS_VERSION": "3.1.1",
    "ENUM_NAME_OVERRIDES": {
        "AvailabilityState": "courses.domain.availability.State",
        "Progress": "analytics.enums.State",
        "QuestionState": "webinars.enums.QuestionState",
        "PollKind": "webinars.enums.PollKind",
        "PollState": "webinars.enums.PollState",
        "Restriction": "webinars.enums.Restriction",
        "Lane": "webinars.enums.Lane",
        "ItemKind": "assessments.enums.ItemKind",
        "AttemptState": "assessments.enums.AttemptState",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema.add_problems",
    ],
}

_media_origin = env.words("MEDIA_ORIGINS")
if MEDIA_GRANTS == "cloudfront" and MEDIA_CLOUDFRONT_DOMAIN:
    _media_origin = list(dict.fromkeys([f"https://{MEDIA_CLOUDFRONT_DOMAIN}", *_media_origin]))
if LIVE_IVS_PLAYBACK_PRIVATE_KEY:
    _media_origin.append("https://*.live-video.net")
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", *_media_origin],
        "media-src": [SELF, "blob:", *_media_origin],
        "connect-src": [SELF, *_media_origin],
        "worker-src": [SELF, "blob:"],
        "font-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-src": [SELF],
        "frame-ancestors": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"  # a page that is framed on purpose says xframe_options_sameorigin
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
UNFOLD = theme(SITE_NAME)

LOG_LEVEL = env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
LOG_FORMAT = env.choice("LOG_FORMAT", ("json", "text"), "json" if PRODUCTION else "text")
LOGGING = configure(json=LOG_FORMAT == "json", level=LOG_LEVEL)

if MEDIA_STORAGE == "s3":
    env.require("MEDIA_BUCKET", MEDIA_BUCKET, "MEDIA_STORAGE=s3 needs the bucket's name")
    if MEDIA_GRANTS != "cloudfront":
        env.problems.append("MEDIA_STORAGE=s3 needs MEDIA_GRANTS=cloudfront: only the edge serves a private bucket")
if MEDIA_GRANTS == "cloudfront":
    env.require("MEDIA_CLOUDFRONT_DOMAIN", MEDIA_CLOUDFRONT_DOMAIN, "set the host name of the distribution")
    env.require("MEDIA_CLOUDFRONT_KEY_ID", MEDIA_CLOUDFRONT_KEY_ID, "set the id of the public key in its key group")
    env.require("MEDIA_CLOUDFRONT_PRIVATE_KEY", MEDIA_CLOUDFRONT_PRIVATE_KEY, "set the PEM of the private RSA key")
    env.require("MEDIA_COOKIE_DOMAIN", MEDIA_COOKIE_DOMAIN, "set the parent domain of the site and the distribution")
    _parent = MEDIA_COOKIE_DOMAIN.lstrip(".")
    for _host in (MEDIA_CLOUDFRONT_DOMAIN, urlsplit(SITE_URL).hostname or ""):
        if _parent and _host and not f".{_host}".endswith(f".{_parent}"):
            env.problems.append(f"MEDIA_COOKIE_DOMAIN is no parent of {_host}: browsers would drop the media cookies")
_needed = PRODUCTION and bool(LIVE_IVS_RECORDING_ARN)
env.playback_key("LIVE_IVS_PLAYBACK_PRIVATE_KEY", LIVE_IVS_PLAYBACK_PRIVATE_KEY, needed=_needed)
if RTMP_SHARED_SECRET and len(RTMP_SHARED_SECRET) < 32:
    env.problems.append("RTMP_SHARED_SECRET needs 32 characters or more; empty: nginx takes no streams")
if RTMP_URL and not RTMP_URL.startswith(("rtmp://", "rtmps://")):
    env.problems.append("RTMP_URL must start with rtmp:// or rtmps://")
if PRODUCTION or not DEBUG:
    env.secret("SECRET_KEY", SECRET_KEY)
if PRODUCTION:
    if DEBUG:
        env.problems.append("DEBUG must be off in production; unset it or set DEBUG=false")
    env.require("ALLOWED_HOSTS", ALLOWED_HOSTS, "set the host names this site answers to, separated by commas")
    env.require("DATABASE_URL", DATABASE_URL, "set postgresql://user:password@host:5432/name")
    env.require("REDIS_URL", REDIS_URL, "set redis://:password@host:6379/0")
    for _key in SECRET_KEY_FALLBACKS:
        env.secret("SECRET_KEY_FALLBACKS", _key)
    if "*" in ALLOWED_HOSTS:
        env.problems.append("ALLOWED_HOSTS must name the hosts; * would let anybody choose the host in e-mailed links")
    if not SITE_URL.startswith("https://"):
        env.problems.append("SITE_URL must be the public address and start with https:// (it stands in e-mailed links)")
    if SHOW_SENT_MAIL:
        env.problems.append("SHOW_SENT_MAIL shows everybody's sign-in links; unset it in production")
env.raise_problems()
