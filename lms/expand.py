"""Migrations beside the running version: what may come before a rolling restart, and what only after it.

While replicas are replaced one by one, old code works on the new schema. A migration that takes something away from it,
or holds a lock for as long as a table is big, is refused, unless its class says why it is needed: `contract = "…"`.
Such a one is left to the end (`manage.py expand`, restart, `manage.py migrate`), and readiness does not wait for it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import connection, models
from django.db.migrations import operations as op
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.fields import NOT_PROVIDED

from core.together import CreateModels

Key = tuple[str, str]  # an app's label, a migration's name

# Older than the rule: they ran before there was anything to roll.
BEFORE_THE_RULE = frozenset(
    {
        ("accounts", "0002_audit_append_only"),
        ("accounts", "0003_pending_import_states"),
        ("accounts", "0004_look_up_by_number_and_name"),
        ("media", "0002_video_published_source"),
        ("webinars", "0002_functions"),
        ("webinars", "0003_keep_what_was_watched"),
        ("webinars", "0004_live"),
        ("webinars", "0005_editions"),
        ("webinars", "0006_tallies"),
        ("webinars", "0007_look_up_at_the_door"),
        ("webinars", "0008_spot_language"),
    }
)
TAKES_AWAY: dict[type[Operation], str] = {
    op.RemoveField: "the running version still reads and writes the column",
    op.DeleteModel: "the running version still uses the table",
    op.RenameField: "the running version knows the old name only",
    op.RenameModel: "the running version knows the old name only",
    op.AlterModelTable: "the running version knows the old name only",
}
LOCKS = re.compile(
    r"\b(ALTER\s+TABLE|(?<!BEFORE )TRUNCATE|LOCK\s+TABLE|RENAME\s"
    r"|DROP\s+(TABLE|COLUMN|VIEW|FUNCTION|MATERIALIZED|TYPE|SCHEMA)"
    r"|CREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)|REINDEX\s+(?!.*CONCURRENTLY)|VACUUM\s+FULL|CLUSTER\s)",
    re.IGNORECASE,
)
SIZED = re.compile(r"varchar\((\d+)\)")


def contract_of(migration: Migration) -> str:
    """Why it has to take something away; empty for one that only adds."""
    return str(getattr(migration, "contract", ""))


def expandable(migrations: Iterable[Migration], squashed: Mapping[Key, Migration]) -> list[Migration]:
    """In the order of a plan: those that only add, without what builds on one that is left to the end.

    `squashed`: a loader's `replacements`. What comes after may name one of them and mean its last step.
    """
    kept: list[Migration] = []
    left: set[Key] = set()
    for migration in migrations:
        key = (migration.app_label, migration.name)
        if contract_of(migration) or left & set(migration.dependencies):
            left.add(key)
            left.update(name for name, one in squashed.items() if key in one.replaces)
        else:
            kept.append(migration)
    return kept


def in_order(loader: MigrationLoader) -> list[Migration]:
    keys = dict.fromkeys(key for leaf in loader.graph.leaf_nodes() for key in loader.graph.forwards_plan(leaf))
    return [loader.graph.nodes[key] for key in keys]


def needed_by_replicas() -> list[Migration]:
    """Without those that wait until every replica is new: nobody would get ready for them.

    Single steps: whoever ran a squashed migration has them on record as well, whoever ran them may have only these.
    """
    loader = MigrationLoader(None, replace_migrations=False)
    return expandable([one for one in in_order(loader) if not one.replaces], loader.replacements)


def our_apps() -> set[str]:
    return {config.label for config in apps.get_app_configs() if Path(config.path).parent == settings.BASE_DIR}


def problems_on_disk() -> list[str]:
    """Of our own apps, in words; each with the migration's name in front.

    Not of squashed ones: they run where there is nothing yet. Where there is something, the steps run.
    """
    loader = MigrationLoader(None, replace_migrations=False)
    ours = our_apps()
    found = []
    for key, migration in sorted(loader.disk_migrations.items()):
        if key[0] in ours and key not in BEFORE_THE_RULE and not (contract_of(migration) or migration.replaces):
            before = loader.project_state(key, at_end=False)
            found += [f"{'.'.join(key)}: {problem}" for problem in problems_of(migration, before)]
    return found


def problems_of(migration: Migration, before: ProjectState) -> Iterator[str]:
    state = before.clone()
    fresh: set[str] = set()  # tables made here: nobody waits for them
    for operation in migration.operations:
        after = state.clone()
        operation.state_forwards(migration.app_label, after)
        for one in _parts(operation):
            if isinstance(one, op.CreateModel):
                fresh.add(one.name.lower())
                continue
            if getattr(one, "model_name", getattr(one, "name", "")).lower() not in fresh:
                problem = _problem(one, migration.app_label, state, after)
                if problem:
                    yield f"{one.describe()}: {problem}"
        state = after


def _parts(operation: Operation) -> Iterable[Operation]:
    if isinstance(operation, CreateModels):
        return operation.models
    return operation.database_operations if isinstance(operation, op.SeparateDatabaseAndState) else [operation]


def _problem(one: Operation, app: str, before: ProjectState, after: ProjectState) -> str:
    for kind, why in TAKES_AWAY.items():
        if isinstance(one, kind):
            return why
    if isinstance(one, op.AddField):
        return _of_new_field(one.field)
    if isinstance(one, op.AlterField):
        return _of_changed_field(*(_field(state, app, one.model_name, one.name) for state in (before, after)))
    if isinstance(one, op.AddIndex) and not isinstance(one, AddIndexConcurrently):
        return "locks out every write while the index is built: AddIndexConcurrently, atomic = False"
    if isinstance(one, op.AlterUniqueTogether) and one.option_value:
        return "its index is built under a lock: CREATE UNIQUE INDEX CONCURRENTLY, atomic = False"
    if isinstance(one, op.AddConstraint) and not isinstance(one, AddConstraintNotValid):
        return "reads the whole table under a lock: AddConstraintNotValid, ValidateConstraint in a later migration"
    if isinstance(one, op.RunSQL) and LOCKS.search(_text(one.sql)):
        return "this SQL locks a table or takes something away"
    return ""


def _field(state: ProjectState, app: str, model: str, name: str) -> Any:
    field = state.models[app, model.lower()].fields[name]
    if field.remote_field:  # has the type of what it refers to, which only a rendered model knows
        return state.apps.get_model(app, model)._meta.get_field(name)
    field = field.clone()
    field.set_attributes_from_name(name)
    return field


def _of_new_field(field: Any) -> str:
    if field.many_to_many:
        return ""
    if isinstance(field, models.GeneratedField):
        return "writes the whole table anew under a lock"
    if not field.null and field.db_default is NOT_PROVIDED:
        return "the running version writes rows without it: null=True or db_default"
    if field.db_index or field.unique:
        return "its index is built under a lock: without, then AddIndexConcurrently"
    return ""


def _of_changed_field(old: Any, new: Any) -> str:
    types = [field.db_parameters(connection=connection)["type"] for field in (old, new)]
    sizes = [SIZED.fullmatch(kind or "") for kind in types]
    if types[0] != types[1] and not (sizes[0] and sizes[1] and int(sizes[0][1]) <= int(sizes[1][1])):
        return (
            f"the type changes from {types[0]} to {types[1]}: writes the table anew, and the running version reads it"
        )
    if old.null and not new.null:
        return "the running version may write nothing there, and the whole table is read under a lock"
    if (new.unique and not old.unique) or (new.db_index and not old.db_index):
        return "its index is built under a lock: AddIndexConcurrently"
    if old.column != new.column:
        return "the running version knows the old name only"
    return ""


def _text(sql: Any) -> str:
    if isinstance(sql, str):
        return sql
    return "\n".join(part if isinstance(part, str) else str(part[0]) for part in sql or ())
