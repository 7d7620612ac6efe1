"""A migration that locks a table or breaks the running version is refused, unless it says why and waits for the end."""

from typing import Any

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.db.migrations import operations as op
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.utils.timezone import now

from lms import expand
from tests.factories.webinars import WebinarFactory
from webinars.models import Broadcast

TITLE = models.Index(fields=["title"], name="by_title")
POSITIVE = models.CheckConstraint(condition=models.Q(size__gt=0), name="has_size")


def made(*operations: Operation, **attributes: Any) -> Migration:
    migration = Migration(attributes.pop("name", "0002_change"), "library")
    attributes["operations"] = list(operations)
    for name, value in attributes.items():
        setattr(migration, name, value)
    return migration


@pytest.fixture
def before() -> ProjectState:
    """A table that is in use."""
    state = ProjectState()
    fields: list[tuple[str, models.Field[Any, Any]]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("title", models.CharField(max_length=50)),
        ("note", models.CharField(max_length=50, null=True)),
        ("size", models.IntegerField()),
    ]
    op.CreateModel("Book", fields).state_forwards("library", state)
    return state


REFUSED = [
    (op.RemoveField("book", "note"), "still reads and writes the column"),
    (op.DeleteModel("Book"), "still uses the table"),
    (op.RenameField("book", "note", "remark"), "knows the old name only"),
    (op.RenameModel("Book", "Volume"), "knows the old name only"),
    (op.AddField("book", "pages", models.IntegerField(default=0)), "null=True or db_default"),
    (op.AddField("book", "isbn", models.CharField(max_length=13, null=True, unique=True)), "built under a lock"),
    (op.AlterField("book", "size", models.BigIntegerField()), "from integer to bigint"),
    (op.AlterField("book", "title", models.CharField(max_length=20)), "from varchar(50) to varchar(20)"),
    (op.AlterField("book", "note", models.CharField(max_length=50)), "may write nothing there"),
    (op.AlterField("book", "size", models.IntegerField(db_index=True)), "AddIndexConcurrently"),
    (op.AddIndex("book", TITLE), "locks out every write"),
    (op.AddConstraint("book", POSITIVE), "AddConstraintNotValid"),
    (op.AlterUniqueTogether("book", {("title", "size")}), "built under a lock"),
    (op.RunSQL("DROP MATERIALIZED VIEW library_sizes"), "this SQL locks"),
    (op.RunSQL("CREATE INDEX by_note ON library_book (note)"), "this SQL locks"),
    (op.RunSQL(["SELECT 1", ("ALTER TABLE library_book DROP note", None)]), "this SQL locks"),
    (
        op.SeparateDatabaseAndState([op.RunSQL("DROP TABLE library_book")], [op.DeleteModel("Book")]),
        "this SQL locks",
    ),
]
ACCEPTED = [
    op.AddField("book", "pages", models.IntegerField(db_default=0)),
    op.AddField("book", "pages", models.IntegerField(null=True)),
    op.AlterField("book", "title", models.CharField(max_length=200, verbose_name="name")),
    op.AlterField("book", "size", models.IntegerField(null=True)),
    AddIndexConcurrently("book", TITLE),
    AddConstraintNotValid("book", POSITIVE),
    op.RemoveIndex("book", "by_title"),
    op.RunSQL("CREATE INDEX CONCURRENTLY by_note ON library_book (note)"),
    op.RunSQL("DROP INDEX by_note"),
    op.AlterUniqueTogether("book", set()),
    op.SeparateDatabaseAndState([], [op.DeleteModel("Book")]),
]


def name_of(operation: Any) -> str:
    return operation.describe() if isinstance(operation, Operation) else ""


@pytest.mark.parametrize(("operation", "words"), REFUSED, ids=name_of)
def test_what_locks_or_takes_away_is_refused(before: ProjectState, operation: Operation, words: str) -> None:
    (problem,) = expand.problems_of(made(operation), before)
    assert words in problem


@pytest.mark.parametrize("operation", ACCEPTED, ids=name_of)
def test_what_only_adds_is_accepted(before: ProjectState, operation: Operation) -> None:
    if isinstance(operation, op.RemoveIndex):
        op.AddIndex("book", TITLE).state_forwards("library", before)
    assert list(expand.problems_of(made(operation), before)) == []


def test_nobody_waits_for_a_table_that_is_made_in_the_same_migration(before: ProjectState) -> None:
    fields: list[tuple[str, models.Field[Any, Any]]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("title", models.CharField(max_length=50)),
    ]
    operations = [
        op.CreateModel("Shelf", fields),
        op.AddField("shelf", "place", models.CharField(max_length=9, default="")),
        op.AddIndex("shelf", TITLE),
    ]
    assert list(expand.problems_of(made(*operations), before)) == []


def test_our_own_migrations_keep_the_rule() -> None:
    assert expand.problems_on_disk() == []


def test_the_list_of_old_ones_grows_no_more() -> None:
    assert len(expand.BEFORE_THE_RULE) == 11


def test_what_takes_away_and_what_builds_on_it_comes_last() -> None:
    first, beside = made(name="0001"), made(name="0001b")
    contract = made(name="0002", contract="nobody reads the note any more")
    on_it = made(name="0003", dependencies=[("library", "0002")])
    assert expand.expandable([first, contract, on_it, beside], {}) == [first, beside]


@pytest.mark.django_db
def test_the_command_says_what_is_left_and_does_nothing_twice(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("expand")
    assert capsys.readouterr().out == "", "everything is applied"
    newest = max(name for app, name in MigrationLoader(connection).disk_migrations if app == "webinars")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'webinars' AND name = %s", [newest])
    call_command("expand", "--check")
    assert capsys.readouterr().out == f"webinars.{newest}\n"


@pytest.mark.django_db
def test_nothing_begins_while_a_webinar_is_on_air() -> None:
    broadcast = Broadcast.objects.create(webinar=WebinarFactory.create(), started_at=now())
    with pytest.raises(CommandError, match=f"On air now: webinar {broadcast.webinar_id}"):
        call_command("expand", "--unless-live")
    broadcast.ended_at = now()
    broadcast.save()
    call_command("expand", "--unless-live")
