"""Tables in parts by month: a migration makes the table and one part for all rows; months are made as they come."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

REST = "_rest"  # the part for what belongs to no month that was made


class CreatePartitionedModel(migrations.CreateModel):
    """CreateModel, `PARTITION BY RANGE` of the column `by`, which has to be part of the primary key."""

    def __init__(self, *args: Any, by: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        quote = schema_editor.quote_name
        plain = schema_editor.sql_create_table
        schema_editor.sql_create_table = f"{plain} PARTITION BY RANGE ({quote(self.by)})"
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = plain
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        schema_editor.execute(f"CREATE TABLE {quote(table + REST)} PARTITION OF {quote(table)} DEFAULT")

    def describe(self) -> str:
        return f"{super().describe()}, in parts by {self.by}"
