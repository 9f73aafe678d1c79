"""Consents that a correction to free has ended are known by their ids, no more by a comparison of clocks.

Filled for what was made free before, also by a portal that did not end consents yet: what is free now asks the client again
when it becomes dear. The column is nullable, so code of before goes on beside it.
"""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import F, Max, OuterRef, Q, Subquery


def end_consents(apps, schema_editor) -> None:  # type: ignore[no-untyped-def]
    """Those of what is free now, and those given before what is dear again was made free."""
    alias = schema_editor.connection.alias
    requests = apps.get_model("restores", "RestoreRequest").objects.using(alias)
    given = apps.get_model("restores", "Consent").objects.using(alias).filter(request=OuterRef("pk")).order_by()
    ended = given.filter(Q(request__classification="free") | Q(given_at__lte=F("request__freed_at")))
    last = ended.values("request").annotate(last=Max("pk")).values("last")
    touched = requests.annotate(last=Subquery(last)).filter(last__isnull=False).values_list("pk", "last")
    for pk, until in list(touched):
        requests.filter(pk=pk).update(consents_ended_to=until)


class Migration(migrations.Migration):

    dependencies = [("restores", "0011_next_good_backup")]

    operations = [
        migrations.AddField(
            model_name="historicalrestorerequest",
            name="consents_ended_to",
            field=models.BigIntegerField(
                help_text="The id of the last consent that ended by that. Ids, because clocks may be set back.", null=True
            ),
        ),
        migrations.AddField(
            model_name="restorerequest",
            name="consents_ended_to",
            field=models.BigIntegerField(
                help_text="The id of the last consent that ended by that. Ids, because clocks may be set back.", null=True
            ),
        ),
        migrations.RunPython(end_consents, migrations.RunPython.noop),
    ]
