from django.db import migrations
from django.db.models import F


def note_known_checksums(apps, schema_editor):
    """A copy proven to its checksum or further was read whole when that was noted."""
    copies = apps.get_model("backups", "Copy").objects
    copies.filter(proof__gte=2, proven_at__isnull=False, checksum_at__isnull=True).update(checksum_at=F("proven_at"))


class Migration(migrations.Migration):

    dependencies = [
        ('backups', '0005_policy'),
    ]

    operations = [migrations.RunPython(note_known_checksums, migrations.RunPython.noop)]
