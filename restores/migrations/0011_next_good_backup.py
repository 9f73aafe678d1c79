"""A resource of an incident may have a further request once the one before it is closed.

The new constraint is narrower than the old one, so it holds in any database, and code of before makes no second request.
"""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Exists, OuterRef, Q


def keep_the_newest(apps, schema_editor) -> None:  # type: ignore[no-untyped-def]
    """On the way back the old constraint allows one per resource: closed ones before it leave the incident."""
    requests = apps.get_model("restores", "RestoreRequest").objects.using(schema_editor.connection.alias)
    later = requests.filter(incident=OuterRef("incident"), resource=OuterRef("resource"), pk__gt=OuterRef("pk"))
    older = list(requests.filter(Exists(later), incident__isnull=False).values_list("pk", flat=True))
    for start in range(0, len(older), 500):
        requests.filter(pk__in=older[start : start + 500]).update(incident=None)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else the index cannot be made after the update


class Migration(migrations.Migration):

    dependencies = [("restores", "0010_freed_at")]

    operations = [
        migrations.RemoveConstraint(model_name="restorerequest", name="request_once_per_incident_and_resource"),
        migrations.RunPython(migrations.RunPython.noop, keep_the_newest),
        migrations.AddConstraint(
            model_name="restorerequest",
            constraint=models.UniqueConstraint(
                fields=["incident", "resource"],
                condition=Q(incident__isnull=False)
                & ~Q(status__in=["undone", "rejected", "cancelled", "expired"]),
                name="request_of_incident_goes_on_once_per_resource",
            ),
        ),
    ]
