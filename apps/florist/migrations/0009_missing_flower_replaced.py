"""A flower that was in no batch can be replaced too: then its name stands where the batch would."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("florist", "0008_made_anew")]

    operations = [
        migrations.AlterField(
            model_name="substitution",
            name="from_batch",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="florist.batch",
                verbose_name="instead of",
            ),
        ),
        migrations.AddField(
            model_name="substitution",
            name="for_variety",
            field=models.CharField(blank=True, max_length=100, verbose_name="instead of, not in stock"),
        ),
        migrations.AddField(
            model_name="substitution",
            name="for_height_cm",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
    ]
