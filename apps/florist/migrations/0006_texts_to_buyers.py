"""Texts to buyers are counted per shop and day, so that they can have a limit."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("florist", "0005_soum_of_suppliers")]

    operations = [
        migrations.CreateModel(
            name="BuyerTexts",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="created")),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="changed")),
                ("day", models.DateField(verbose_name="day")),
                ("sent", models.PositiveIntegerField(default=0, verbose_name="sent")),
                (
                    "shop",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="florist.shop",
                        verbose_name="shop",
                    ),
                ),
            ],
            options={
                "verbose_name": "text messages of a day",
                "verbose_name_plural": "text messages by day",
                "ordering": ["-day", "-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="buyertexts",
            constraint=models.UniqueConstraint(fields=("shop", "day"), name="florist_texts_of_a_day"),
        ),
    ]
