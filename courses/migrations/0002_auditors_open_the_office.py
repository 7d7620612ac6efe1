from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def open_the_office(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Who became an auditor before auditors had anything to read there. Again finds nobody."""
    grants = apps.get_model("courses", "RoleGrant").objects.filter(role="auditor")
    users = apps.get_model("accounts", "User").objects.filter(is_staff=False)
    users.filter(pk__in=grants.values("user")).update(is_staff=True)


class Migration(migrations.Migration):
    dependencies = [("courses", "0001_initial"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [migrations.RunPython(open_the_office, migrations.RunPython.noop)]
