"""A courier's day that was closed by mistake is opened again; the mistaken closing stays as history."""

from __future__ import annotations

from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("florist", "0003_bouquet_once")]

    operations = [
        migrations.RemoveConstraint(model_name="courierday", name="florist_day_closed_once"),
        migrations.AddField(
            model_name="courierday",
            name="cash_taken",
            field=models.DecimalField(
                decimal_places=2, default=Decimal(0), max_digits=12, verbose_name="cash taken before"
            ),
        ),
        migrations.AddField(
            model_name="courierday",
            name="reopened_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="opened again"),
        ),
        migrations.AddField(
            model_name="courierday",
            name="reopen_reason",
            field=models.CharField(blank=True, max_length=500, verbose_name="why it was opened again"),
        ),
        migrations.AddField(
            model_name="courierday",
            name="reopened_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="florist.employee",
            ),
        ),
        migrations.AddConstraint(
            model_name="courierday",
            constraint=models.UniqueConstraint(
                condition=models.Q(reopened_at=None), fields=("courier", "day"), name="florist_day_closed_once"
            ),
        ),
    ]
