"""A start with a bad configuration is refused, in one message that names every variable to set."""

import gc
import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from lms.environment import DEVELOPMENT_SECRET, Environment
from tests.platform.conftest import ROOT, Command, kept
from tests.platform.starting import Starts

GOOD = {
    "DJANGO_ENV": "production",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "ALLOWED_HOSTS": "learn.example.org",
    "SITE_URL": "https://learn.example.org",
    "DATABASE_URL": "postgresql://lms:secret@db.example.org/lms",
    "REDIS_URL": "rediss://:secret@redis.example.org/0",
    "TRUSTED_PROXIES": "1",
}


CLOUDFRONT = GOOD | {
    "MEDIA_STORAGE": "s3",
    "MEDIA_BUCKET": "lectures",
    "MEDIA_GRANTS": "cloudfront",
    "MEDIA_CLOUDFRONT_DOMAIN": "media.example.org",
    "MEDIA_CLOUDFRONT_KEY_ID": "K2JCJMDEHXQW5F",
    "MEDIA_CLOUDFRONT_PRIVATE_KEY": "pem",
    "MEDIA_COOKIE_DOMAIN": "example.org",
}


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in GOOD.items() if name not in names}


@pytest.fixture(scope="module")
def starts() -> Iterator[Starts]:
    one = Starts(kept())
    yield one
    one.end()


@pytest.fixture
def start(starts: Starts) -> Command:
    """The same as `python("-c", …)`, for a third of a second less."""
    return lambda code, **environment: starts.run(code, environment)


def test_sec_34_the_deployment_check_finds_nothing(python: Command) -> None:
    result = python("manage.py", "check", "--deploy", "--fail-level", "WARNING", **GOOD)
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


@pytest.mark.parametrize(
    ("environment", "variable", "words"),
    [
        (GOOD | {"DEBUG": "true"}, "DEBUG", "must be off"),
        (without("SECRET_KEY"), "SECRET_KEY", "is missing"),
        (GOOD | {"SECRET_KEY": "short"}, "SECRET_KEY", "weak"),
        (GOOD | {"SECRET_KEY": DEVELOPMENT_SECRET * 3}, "SECRET_KEY", "default"),
        (GOOD | {"SECRET_KEY": "x" * 80}, "SECRET_KEY", "weak"),
        (GOOD | {"SECRET_KEY": "django-insecure-" + secrets.token_urlsafe(64)}, "SECRET_KEY", "default"),
        (GOOD | {"SECRET_KEY_FALLBACKS": "old"}, "SECRET_KEY_FALLBACKS", "weak"),
        (without("ALLOWED_HOSTS"), "ALLOWED_HOSTS", "is missing"),
        (GOOD | {"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS", "must name the hosts"),
        (without("DATABASE_URL"), "DATABASE_URL", "is missing"),
        (without("REDIS_URL"), "REDIS_URL", "is missing"),
        (without("SITE_URL"), "SITE_URL", "https://"),
        (GOOD | {"SHOW_SENT_MAIL": "true"}, "SHOW_SENT_MAIL", "unset it"),
        (GOOD | {"DJANGO_ENV": "prod"}, "DJANGO_ENV", "must be one of development, production"),
    ],
)
def test_sec_36_a_production_start_refuses_and_names_the_variable(
    start: Command, environment: dict[str, str], variable: str, words: str
) -> None:
    result = start("import lms.settings", **environment)
    assert result.returncode != 0
    problems = [line for line in result.stderr.splitlines() if line.startswith(f"  - {variable} ")]
    assert len(problems) == 1, result.stderr
    assert words in problems[0]


@pytest.mark.parametrize(
    ("changes", "variable", "words"),
    [
        ({"MEDIA_BUCKET": ""}, "MEDIA_BUCKET", "is missing"),
        ({"MEDIA_GRANTS": "django"}, "MEDIA_STORAGE=s3", "needs MEDIA_GRANTS=cloudfront"),
        ({"MEDIA_GRANTS": "nginx"}, "MEDIA_STORAGE=s3", "needs MEDIA_GRANTS=cloudfront"),
        ({"MEDIA_CLOUDFRONT_DOMAIN": ""}, "MEDIA_CLOUDFRONT_DOMAIN", "is missing"),
        ({"MEDIA_CLOUDFRONT_KEY_ID": ""}, "MEDIA_CLOUDFRONT_KEY_ID", "is missing"),
        ({"MEDIA_CLOUDFRONT_PRIVATE_KEY": ""}, "MEDIA_CLOUDFRONT_PRIVATE_KEY", "is missing"),
        ({"MEDIA_COOKIE_DOMAIN": ""}, "MEDIA_COOKIE_DOMAIN", "is missing"),
        ({"MEDIA_COOKIE_DOMAIN": "ample.org"}, "MEDIA_COOKIE_DOMAIN", "no parent of media.example.org"),
        ({"MEDIA_CLOUDFRONT_DOMAIN": "d1.cloudfront.net"}, "MEDIA_COOKIE_DOMAIN", "no parent of d1.cloudfront.net"),
    ],
)
def test_sec_36_media_settings_that_could_serve_nothing_are_refused(
    start: Command, changes: dict[str, str], variable: str, words: str
) -> None:
    result = start("import lms.settings", **(CLOUDFRONT | changes))
    assert result.returncode != 0
    problems = [line for line in result.stderr.splitlines() if line.startswith(f"  - {variable} ")]
    assert problems, result.stderr
    assert words in problems[0]


def test_sec_34_the_policy_names_the_distribution_and_what_else_is_given(start: Command) -> None:
    show = (
        "import json, lms.settings as s; d = s.CONTENT_SECURITY_POLICY['DIRECTIVES'];"
        "print(json.dumps([d[name] for name in ('img-src', 'media-src', 'connect-src')]))"
    )
    media, other = "https://media.example.org", "https://lectures.s3.example.org"
    result = start(show, **CLOUDFRONT, MEDIA_ORIGINS=f"{other},{media}")
    assert result.returncode == 0, result.stderr
    for origins in json.loads(result.stdout):
        assert origins[-2:] == [media, other]
    assert media not in start(show, **GOOD).stdout


def test_sec_36_tasks_go_to_no_server_whose_certificate_is_not_checked(start: Command) -> None:
    result = start("import lms.settings as s; print(s.CELERY_BROKER_USE_SSL['ssl_cert_reqs'].name)", **GOOD)
    assert result.stdout.strip() == "CERT_REQUIRED", result.stderr


def pem_on(curve: ec.EllipticCurve) -> str:
    key = ec.generate_private_key(curve)
    kinds = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*kinds).decode().replace("\n", "\\n")


def test_sec_36_aws_ivs_needs_a_key_for_its_viewers(start: Command) -> None:
    ivs = GOOD | {"LIVE_IVS_RECORDING_ARN": "arn:aws:ivs:eu-central-1:123456789012:recording-configuration/r"}
    wrong = pem_on(ec.SECP256R1())
    for given, words in (("", "is missing"), (wrong, "is not the PEM of an ECDSA key on the curve P-384")):
        refused = start("import lms.settings", **ivs, LIVE_IVS_PLAYBACK_PRIVATE_KEY=given)
        assert f"  - LIVE_IVS_PLAYBACK_PRIVATE_KEY {words}" in refused.stderr
        assert not given or given[40:80] not in refused.stderr
    show = (
        "import json, lms.settings as s; origins = s.CONTENT_SECURITY_POLICY['DIRECTIVES']['media-src'];"
        "print(json.dumps([s.CELERY_BEAT_SCHEDULE.get('cut-off-ivs'), origins]))"
    )
    result = start(show, **ivs, LIVE_IVS_PLAYBACK_PRIVATE_KEY=pem_on(ec.SECP384R1()))
    assert result.returncode == 0, result.stderr
    task, origins = json.loads(result.stdout)
    assert (task["task"], task["schedule"] < 5) == ("webinars.cut_off_ivs", True)
    assert "https://*.live-video.net" in origins


def test_sec_36_debug_off_needs_a_real_secret_outside_production_too(start: Command) -> None:
    result = start("import lms.settings", DEBUG="false")
    assert result.returncode != 0
    assert "  - SECRET_KEY is a default or a weak value" in result.stderr


def test_sec_36_every_problem_is_reported_at_once_and_no_value_of_a_secret(start: Command) -> None:
    bad = {
        "DATABASE_URL": "mysql://root:hunter2@db/x",
        "SECRET_KEY": "hunter2",
        "DEVICE_LIMIT": "many",
        "DEBUG": "perhaps",
    }
    result = start("import lms.settings", **(without("ALLOWED_HOSTS") | bad))
    named = re.findall(r"^  - (\w+) ", result.stderr, re.MULTILINE)
    assert sorted(named) == ["ALLOWED_HOSTS", "DATABASE_URL", "DATABASE_URL", "DEBUG", "DEVICE_LIMIT", "SECRET_KEY"]
    assert "hunter2" not in result.stderr


def test_development_needs_nothing(python: Command, tmp_path: Path) -> None:
    """Not even running databases, as long as nobody asks them: type checkers and `makemigrations` import settings."""
    result = python("manage.py", "check", VAR_DIR=str(tmp_path))
    assert result.returncode == 0, result.stderr


def test_values_are_typed_and_problems_collected() -> None:
    env = Environment({"N": "7", "WORDS": " a, b ,,c", "YES": "On", "LOW": "-1", "BAD": "seven", "URL": "ftp://x"})
    assert env.number("N", 1) == 7
    assert env.number("ABSENT", 1) == 1
    assert env.words("WORDS") == ["a", "b", "c"]
    assert env.flag("YES", default=False) is True
    assert env.problems == []
    assert env.number("LOW", 3) == 3
    assert env.number("BAD", 4) == 4
    assert env.url("URL", "redis", "rediss") == ""
    with pytest.raises(ImproperlyConfigured) as caught:
        env.raise_problems()
    text = str(caught.value)
    assert "LOW must be between 0 and" in text
    assert "BAD must be a whole number" in text
    assert "URL must start with redis:// or rediss://" in text


def test_every_variable_is_documented() -> None:
    """`docs/operating.md` has one table row for each variable that the code reads."""
    sources = [ROOT / "lms" / "settings.py", *(ROOT / "deploy").glob("*.py"), ROOT / "lms" / "supervisor.py"]
    text = "".join(path.read_text() for path in sources)
    read = set(re.findall(r"env\.(?:text|number|flag|words|path|choice|url)\(\s*\"(\w+)\"", text))
    read |= set(re.findall(r"os\.environ\.get\(\"(\w+)\"", text)) | set(re.findall(r"_number\(\"(\w+)\"", text))
    documented = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE))
    assert read - documented == set()
    assert len(read) > 30


@pytest.mark.django_db
def test_the_tests_themselves_run_on_throw_away_servers() -> None:
    assert "lms-tests-" in str(settings.VAR_DIR)
    assert settings.DATABASES["default"]["NAME"].startswith("test_")


# What a worker reads, as Celery starts one, and the realtime tier.
LOADS_NO_PAGES = (
    "import sys; from celery.signals import celeryd_after_setup; from lms.celery import app; import lms.asgi;"
    "begin = lambda one: celeryd_after_setup.send(sender=one.hostname, instance=one, conf=app.conf);"
    "begin(app.Worker(concurrency=1));"
    "print(app.tasks['webinars.put_together'].name,"
    " *sorted(name for name in sys.modules if '.admin.' in f'{name}.' and not name.startswith('django.')),"
    " *sorted({'core.middleware', 'lms.admin_site', 'lms.urls', 'requests'} & set(sys.modules)));"
    "begin(app.Worker(concurrency=2)); print('lms.urls' in sys.modules);"
)
# What web, workers and the realtime tier read, and then the storage.
LOADS_EVERYTHING = (
    "import gc, sys; import lms.wsgi, lms.celery, lms.asgi, media.domain.uploads, media.domain.sweeping;"
    "from django.core.files.storage import storages; from media.storages.parts import part_store;"
    "kind = type(part_store(storages['media'])).__name__;"
    "print(kind, gc.isenabled(), *sorted({'aiohttp', 'boto3', 'botocore', 'numpy', 'pyhanko'} & set(sys.modules)))"
)


def test_what_few_need_is_loaded_by_those_alone(python: Command) -> None:
    """Seals of certificates and figures of tests are a job's: without them a start takes a seventh less. And boto3,
    where S3 is not the storage, would cost every start and every command a third of a second; pages and the office,
    where a worker starts, or the realtime tier, three quarters of one.
    """
    local = python("-c", LOADS_NO_PAGES + LOADS_EVERYTHING, DJANGO_SETTINGS_MODULE="lms.settings", **GOOD)
    said = local.stdout.splitlines()
    # One of its tasks, and neither office nor pages; unless its children would read them one by one.
    assert said[:2] == ["webinars.put_together", "True"], local.stderr
    assert said[-1:] == ["LocalParts True"], local.stderr  # after a warning of static files
    s3 = python("-c", LOADS_EVERYTHING, DJANGO_SETTINGS_MODULE="lms.settings", **CLOUDFRONT)
    assert s3.stdout.splitlines()[-1:] == ["DirectParts True boto3 botocore"], s3.stderr


def test_the_checks_look_at_the_office_though_few_load_it(start: Command, tmp_path: Path) -> None:
    """Nothing else has read it here: of Django's checks those of the admin alone run, and not the ones of addresses."""
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / "__init__.py").touch()
    (tmp_path / "planted" / "admin.py").write_text(
        "from django.contrib import admin\n"
        "from django.contrib.contenttypes.models import ContentType\n"
        "@admin.register(ContentType)\n"
        "class Planted(admin.ModelAdmin):\n"
        "    list_display = ('nowhere',)\n"
    )
    (tmp_path / "planted_settings.py").write_text(
        "from lms.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, 'planted']\n"
    )
    check = (
        f"import django, sys; sys.path.insert(0, {str(tmp_path)!r}); django.setup();"
        "from django.core.management import call_command; call_command('check', '--tag=admin')"
    )

    result = start(check, DJANGO_SETTINGS_MODULE="planted_settings", **GOOD)

    assert result.returncode == 1, result.stdout
    assert re.findall(r"<class '([\w.]+)'>: \((admin\.E\d+)\)", result.stderr) == [
        ("planted.admin.Planted", "admin.E108")
    ]


def test_garbage_is_collected_from_the_end_of_the_start_on() -> None:
    """But not among what was read to start."""
    assert gc.isenabled()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold() == (10_000, 10, 10)
