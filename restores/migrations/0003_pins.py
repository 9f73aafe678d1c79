from django.db import migrations

FIRST_NUMBER = 1000


def pin_open_requests(apps, schema_editor):
    """What was asked for before there were pins is pinned; completed ones for a week from now."""
    from datetime import timedelta

    from django.utils import timezone

    Request = apps.get_model("restores", "RestoreRequest")
    Pin = apps.get_model("backups", "Pin")
    ends = timezone.now() + timedelta(days=7)
    rows = Request.objects.exclude(status__in=["undone", "rejected", "cancelled"])
    pins = [
        Pin(backup_id=backup, label=f"RR-{FIRST_NUMBER + pk}", since=filed_at, until=ends if status == "completed" else None)
        for pk, backup, filed_at, status in rows.values_list("pk", "backup", "filed_at", "status").iterator()
    ]
    Pin.objects.bulk_create(pins, ignore_conflicts=True, batch_size=1000)


class Migration(migrations.Migration):

    dependencies = [
        ('restores', '0002_step_not_possible'),
        ('backups', '0006_checksum_dates'),
    ]

    operations = [migrations.RunPython(pin_open_requests, migrations.RunPython.noop)]
