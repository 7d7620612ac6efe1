"""The copy of a drill: without the secrets of the site, never mixed up with it, and gone afterwards."""

import re
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import models
from django.utils.timezone import now
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from accounts.domain import audit
from accounts.domain.secrets import hash_token
from accounts.enums import SignInMethod
from accounts.models import Device, Invitation, SignInRequest, User
from courses.models import Enrolment
from operations.domain.backups import contents
from operations.domain.backups.programs import parameters_of_site
from operations.domain.drill.copying import check_space, copy_database
from operations.domain.drill.errors import DrillError
from operations.domain.drill.place import Place, clean, only_drill
from operations.domain.drill.scrubbing import DOMAIN, LEFT_OUT, MARKER, REPLACED, check_marker
from operations.domain.drill.site import Databases, environment
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from webinars.models import Question, SpotRequest, SpotWindow, StreamKey

# Every one of these stands in the site's database, in a row of its own.
SECRETS = [f"zzsecret{number:02}" for number in range(16)]


# Without the parts of tables that are kept by month: their rows are read with the table.
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""


def all_text(connection: "psycopg.Connection[Any]") -> dict[str, str]:
    """Every row of every table, as text."""
    query = "SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM {} AS t"
    names = connection.execute(TABLES).fetchall()
    found = {}
    for (name,) in names:
        row = connection.execute(sql.SQL(query).format(sql.Identifier(name))).fetchone()
        found[name] = row[0] if row else ""
    return found


def digest(parameters: dict[str, Any]) -> contents.Contents:
    with psycopg.connect(**parameters, autocommit=True) as connection:
        names = connection.execute(TABLES).fetchall()
        return contents.read_contents(connection, checksums_of=[name for (name,) in names])


def plant() -> User:
    """A site with one doctor about whom everything is secret."""
    word = iter(SECRETS)
    webinar = WebinarFactory(external_url=f"https://meet.example/{next(word)}")
    user = UserFactory(
        email=f"{next(word)}@hospital.example",
        first_name=next(word),
        last_name=next(word),
        registration_number=next(word),
        phone="+919876543210",
        country="IN",
    )
    user.password = f"argon2${next(word)}"
    user.save()
    EnrolmentFactory(user=user, programme=webinar.lesson.course.programme, status="active")
    WatchRecordFactory(user=user, webinar=webinar, coverage=((0, 600),))
    at, later = now(), now() + timedelta(days=1)
    Session.objects.create(session_key=next(word), session_data=next(word), expire_date=later)
    Device.objects.create(
        user=user, session_key=next(word), name="Chrome", user_agent=next(word), address="203.0.113.77",
        method=SignInMethod.LINK, created_at=at, last_seen_at=at,
    )  # fmt: skip
    Invitation.objects.create(
        user=user, token_hash=hash_token("t"), occasion=next(word), created_at=at, expires_at=later
    )
    SignInRequest.objects.create(user=user, next_path=next(word), created_at=at, expires_at=later)
    audit.record("sign_in.requested", actor=user, details={"email": next(word)}, now=at)
    Question.objects.create(webinar=webinar, author=user, text=f"My patient {next(word)} – what now?", asked_at=at)
    window = SpotWindow.objects.create(
        webinar=webinar, slug=next(word), opens_at=at, closes_at=later, capacity=5, created_at=at
    )
    SpotRequest.objects.create(
        window=window, email=f"{next(word)}@clinic.example", first_name="A", last_name="B", country="IN",
        medical_council="C", registration_number="D", ticket="x" * 64, created_at=at,
    )  # fmt: skip
    StreamKey.objects.create(webinar=webinar, presenter=user, digest="ab" * 32, ending="~9f~", created_at=at)
    return user


@pytest.fixture
def place() -> Iterator[Place]:
    """Where the unprivileged user of PostgreSQL may pass."""
    with tempfile.TemporaryDirectory(prefix="lms-drill-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Place(Path(name) / "drill")


@pytest.mark.site
@pytest.mark.django_db(transaction=True)
def test_the_copy_has_everybody_and_no_secret_and_the_site_is_as_it_was(place: Place) -> None:
    user = plant()
    source = parameters_of_site()
    before = digest(source)
    with psycopg.connect(**source, autocommit=True) as site:
        text = "\n".join(all_text(site).values())
        assert [secret for secret in SECRETS if secret not in text] == [], "planted"
        with pytest.raises(DrillError, match="no copy made by a drill"):
            check_marker(site)
        with pytest.raises(DrillError, match="own database server"):
            copy_database(source=source, into=dict(source) | {"dbname": "postgres"}, now=now())

    with only_drill(place):
        with Databases(place) as urls:
            into: dict[str, Any] = dict(conninfo_to_dict(urls["DATABASE_URL"]))
            copy_database(source=source, into=into, now=now())
            with psycopg.connect(**into, autocommit=True) as copy:
                check_marker(copy)
                tables = all_text(copy)
                people = copy.execute("SELECT id, email, password, country, phone FROM accounts_user").fetchall()
                enrolled = copy.execute("SELECT user_id, status FROM courses_enrolment").fetchall()
                seen = copy.execute("SELECT coverage::text FROM webinars_watchrecord").fetchall()
                asked = copy.execute("SELECT text FROM webinars_question").fetchone()
            with pytest.raises(DrillError, match="not empty"):
                copy_database(source=source, into=into, now=now())
        assert clean(place)
        assert not clean(place)

    copied = "\n".join(tables.values())
    assert [secret for secret in SECRETS if secret in copied] == []
    assert [
        secret for secret in ("987654", "203.0.113", "~9f~", "ab" * 32, "x" * 64, "@hospital") if secret in copied
    ] == []
    assert people == [(user.pk, f"doctor-{user.pk}@{DOMAIN}", "!drill", "IN", "")]
    assert enrolled == [(user.pk, "active")]
    assert seen == [("{[0,600)}",)]
    assert asked == ("x" * len(Question.objects.get().text),), "as long as it was"
    assert set(tables) == set(before.rows) | {MARKER}
    assert digest(source) == before
    assert Enrolment.objects.get().user_id == user.pk
    assert not place.left


class TestNothingIsForgotten:
    """A column that is added later and sounds like a secret has to be thought of."""

    SOUNDS = re.compile(
        r"password|email|phone|token|hash|digest|secret|session_key|session_data|ticket|slug|address|code|content|key$"
        r"|registration_number|user_agent|first_name|last_name|external_url"
    )
    # Looked at, and no secret: addresses of files, words of the product, and what a course is called.
    HARMLESS = {
        "analytics_coldfile.key",
        "assessments_boardtopic.code", "assessments_evaluationform.key", "assessments_itemimage.key",
        "certification_accreditation.approval_code",
        "auth_permission.codename", "courses_programme.slug", "media_upload.storage_key", "media_video.error_code",
        "media_video.source_key", "webinars_edition.source_key",
    }  # fmt: skip

    def test_every_column_that_sounds_like_a_secret_is_left_out_or_replaced(self) -> None:
        found = {
            f"{model._meta.db_table}.{field.column}"
            for model in apps.get_models(include_auto_created=True)
            for field in model._meta.concrete_fields
            if isinstance(
                field, models.CharField | models.TextField | models.BinaryField | models.GenericIPAddressField
            )
            and self.SOUNDS.search(field.column or "")
            and model._meta.db_table not in LEFT_OUT
            and field.column not in REPLACED.get(model._meta.db_table, {})
        }
        assert found - self.HARMLESS == set()

    def test_what_is_left_out_is_referred_to_by_nothing_that_stays(self) -> None:
        tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
        assert set(LEFT_OUT) | set(REPLACED) <= tables
        referring = {
            (model._meta.db_table, field.remote_field.model._meta.db_table)
            for model in apps.get_models(include_auto_created=True)
            for field in model._meta.concrete_fields
            if field.remote_field and getattr(field, "db_constraint", False)
        }
        assert {(table, to) for table, to in referring if to in LEFT_OUT and table not in LEFT_OUT} == set()


class TestIsolation:
    def test_no_address_and_no_key_of_the_site_reaches_the_copy(self, place: Place) -> None:
        given = {
            name: f"secret-{name}"
            for name in (
                "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "EMAIL_HOST", "EMAIL_HOST_PASSWORD", "AWS_SECRET_ACCESS_KEY",
                "MEDIA_BUCKET", "MEDIA_ROOT", "SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT", "AUTOSCALE_CLUSTER",
                "BACKUP_URL", "LIVE_IVS_PLAYBACK_PRIVATE_KEY", "RTMP_SHARED_SECRET", "SITE_URL",
            )
        }  # fmt: skip
        made = environment(
            place, given | {"WEB_WORKERS": "3", "PATH": "/bin", "EMAIL_BACKEND": "smtp", "VAR_DIR": "/srv"}
        )

        assert not any("secret-" in value for value in made.values())
        assert (made["WEB_WORKERS"], made["PATH"]) == ("3", "/bin")
        assert made["EMAIL_BACKEND"] == "lms.dev_mail.FolderBackend"
        assert made["VAR_DIR"] == str(place.site)

    def test_only_one_drill_at_a_time(self, place: Place) -> None:
        with (
            only_drill(place),
            pytest.raises(DrillError, match=r"Another drill is running: process \d+"),
            only_drill(place),
        ):
            pytest.fail("two at once")
        with only_drill(place):
            assert not clean(place)

    def test_a_full_disk_is_said_before_anything_is_written(self, tmp_path: Path) -> None:
        check_space(tmp_path, needed=1)
        with pytest.raises(DrillError, match="GiB are free"):
            check_space(tmp_path, needed=2**60)
