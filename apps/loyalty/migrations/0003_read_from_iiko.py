from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models import F


def remember(apps: Any, schema_editor: Any) -> None:
    """A proved balance was a reading; whoever has none was perhaps never read and comes first."""
    known = apps.get_model("loyalty", "Client").objects.exclude(balance_as_of=None)
    known.update(iiko_read_at=F("balance_as_of"))


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0002_switched_off"),
    ]

    operations = [
        migrations.AddField(
            model_name="client",
            name="iiko_read_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Moment of the last answer of iiko, whatever it was",
                null=True,
                verbose_name="read from iiko",
            ),
        ),
        migrations.AddField(
            model_name="iikoreconciliation",
            name="paused_count",
            field=models.PositiveIntegerField(
                default=0,
                help_text="their reading is paused until staff resume it",
                verbose_name="guests left out",
            ),
        ),
        migrations.RunPython(remember, migrations.RunPython.noop),
    ]
