from django.db import migrations


class Migration(migrations.Migration):
    contract = "from which address a statement came is in the audit trail; nothing has written it here since 0018"

    dependencies = [("certification", "0018_reasons_beside")]

    operations = [migrations.RemoveField(model_name="disclosure", name="address")]
