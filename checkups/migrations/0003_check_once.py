"""A backup is looked at once in a finding, on SQLite as well, which knows no index in which nothing equals nothing."""

from django.db import migrations, models
from django.db.models import Q


class RemoveWhereItIs(migrations.RemoveConstraint):
    """SQLite never had it; taking it away would make the table anew, under the triggers that seal it."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.features.supports_nulls_distinct_unique_constraints:
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.features.supports_nulls_distinct_unique_constraints:
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    dependencies = [("checkups", "0002_sealed")]

    operations = [
        migrations.AddConstraint(
            "check",
            models.UniqueConstraint(
                fields=["finding", "what", "backup"], condition=Q(backup__isnull=False), name="check_once_per_backup"
            ),
        ),
        migrations.AddConstraint(
            "check",
            models.UniqueConstraint(
                fields=["finding", "what"], condition=Q(backup__isnull=True), name="check_once_without_backup"
            ),
        ),
        RemoveWhereItIs("check", "check_once"),
    ]
