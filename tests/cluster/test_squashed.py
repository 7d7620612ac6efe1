"""A new database begins with one squashed migration for each app, an old one goes on with its steps: to one end."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, cast

import pytest
from django.contrib.postgres.operations import CreateExtension
from django.core.management import call_command
from django.db import connection
from django.db.migrations import RunSQL
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.state import ModelState, ProjectState

from core.together import CreateModels
from lms import expand, health
from lms.preparation import ROOT
from tests.cluster.test_expand import made

SQUASHED = {path.parts[-3]: path.stem for path in sorted(ROOT.glob("*/migrations/0001_squashed_*.py"))}
# What PostgreSQL has beside tables, columns, constraints and indexes.
BESIDE_TABLES = """
SELECT 'function', pg_get_functiondef(oid) FROM pg_proc p
    WHERE pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'options', relname || reloptions::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND reloptions IS NOT NULL
"""


@cache
def on_disk() -> dict[tuple[str, str], Migration]:
    return dict(MigrationLoader(None).disk_migrations)


def squashed(app: str) -> Migration:
    return on_disk()[app, SQUASHED[app]]


def steps(app: str) -> list[Migration]:
    return [on_disk()[key] for key in squashed(app).replaces]


def came_to(migrations: Iterable[Migration]) -> dict[tuple[str, str], ModelState]:
    state = ProjectState()
    for migration in migrations:
        for operation in migration.operations:
            operation.state_forwards(migration.app_label, state)
    return state.models


def described(model: ModelState) -> Any:
    described = MigrationAutodetector(ProjectState(), ProjectState()).deep_deconstruct
    return [described(part) for part in (model.name, model.fields, model.options, model.bases, model.managers)]


def beside_tables() -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(BESIDE_TABLES)
        return set(cursor.fetchall())


def run_sql(migrations: Iterable[Migration], *, backwards: bool = False) -> None:
    state = ProjectState()
    with connection.schema_editor() as editor:
        for migration in migrations:
            for one in migration.operations[:: -1 if backwards else 1]:
                if isinstance(one, RunSQL):
                    run = one.database_backwards if backwards else one.database_forwards
                    run(migration.app_label, editor, state, state)


def on_record() -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return set(cursor.fetchall())


def forget(app: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = %s AND name = %s", [app, name])


def waiting() -> list[str]:
    executor = MigrationExecutor(connection)
    return [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def test_every_app_with_more_than_one_step_is_squashed() -> None:
    grown = {app for app, name in on_disk() if name.startswith("0002_")}
    assert SQUASHED.keys() == grown & expand.our_apps()


@pytest.mark.parametrize("app", SQUASHED)
def test_it_replaces_every_step_of_its_app(app: str) -> None:
    first_to_last = sorted(key for key in on_disk() if key[0] == app and key[1] != SQUASHED[app])
    assert squashed(app).replaces == first_to_last


@pytest.mark.parametrize("app", SQUASHED)
def test_the_models_are_those_of_the_steps(app: str) -> None:
    found, wanted = came_to([squashed(app)]), came_to(steps(app))
    assert found.keys() == wanted.keys()
    for key, model in found.items():
        assert list(model.fields) == list(wanted[key].fields), "the columns have their order as well"
        assert described(model) == described(wanted[key]), f"{key} differs"


@pytest.mark.parametrize("app", SQUASHED)
def test_what_is_no_plain_table_is_made_alike(app: str) -> None:
    def special(migrations: Iterable[Migration]) -> set[tuple[str, ...]]:
        found: set[tuple[str, ...]] = set()
        for one in (one for migration in migrations for one in migration.operations):
            for part in one.models if isinstance(one, CreateModels) else [one]:
                if isinstance(part, CreateExtension):
                    found.add(("extension", part.name))
                elif by := getattr(part, "by", ""):
                    found.add(("parts", cast("Any", part).name, by))
        return found

    assert special([squashed(app)]) == special(steps(app))


@pytest.mark.django_db
def test_functions_triggers_and_storage_are_those_of_the_steps() -> None:
    """Taken back as the squashed ones take it back, and made again by the steps."""
    before = beside_tables()
    run_sql(map(squashed, SQUASHED), backwards=True)
    assert beside_tables() == set()
    run_sql(step for app in SQUASHED for step in steps(app))
    assert beside_tables() == before
    assert {"function", "trigger", "options"} == {kind for kind, _ in before}


@pytest.mark.django_db
def test_whoever_has_run_the_steps_is_ready_and_has_nothing_to_run(capsys: pytest.CaptureFixture[str]) -> None:
    for app, name in SQUASHED.items():
        forget(app, name)
    assert health._migrations(on_record()) == "ok"
    assert health._migrations(on_record() - {("webinars", "0013_find_sessions_by_start")}) == "1 not applied"
    assert waiting() == []
    call_command("expand")
    assert capsys.readouterr().out == ""
    call_command("migrate", verbosity=0)
    assert SQUASHED.items() <= on_record(), "known from now on"


@pytest.mark.django_db
def test_whoever_stopped_between_two_steps_goes_on_with_them(capsys: pytest.CaptureFixture[str]) -> None:
    """The last step takes a column away, which a release does at its end."""
    last = ("certification", "0019_forget_addresses")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE certification_disclosure ADD address inet")
    forget(*last)
    forget("certification", SQUASHED["certification"])
    assert waiting() == [".".join(last)]
    assert health._migrations(on_record()) == "ok", "nobody waits for what comes last"
    call_command("expand")
    assert re.fullmatch(r"certification\.0019_forget_addresses  later: .+\n", capsys.readouterr().out)
    call_command("migrate", verbosity=0)
    assert waiting() == []
    assert {last, ("certification", SQUASHED["certification"])} <= on_record()
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, "certification_disclosure")
    assert "address" not in {column.name for column in columns}


def test_what_builds_on_a_squashed_one_waits_for_its_last_step() -> None:
    """`makemigrations` writes the squashed one's name, whichever way a database came there."""
    step, contract = made(name="0001"), made(name="0002", contract="nobody reads the note any more")
    whole = made(name="0001_to_0002", replaces=[("library", "0001"), ("library", "0002")])
    later = made(name="0003", dependencies=[("library", "0001_to_0002")])
    replacements = {("library", "0001_to_0002"): whole}
    assert expand.expandable([step, contract, later], replacements) == [step]
    assert expand.expandable([step, whole, later], {}) == [step, whole, later]
