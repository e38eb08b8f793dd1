"""What a courier collects is asked of the order: a kept sum went stale when the buyer paid by other ways."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("florist", "0006_texts_to_buyers")]

    operations = [
        migrations.RemoveConstraint(model_name="stop", name="florist_stop_cash_not_negative"),
        migrations.RemoveField(model_name="stop", name="cash_due"),
        migrations.AddConstraint(
            model_name="stop",
            constraint=models.CheckConstraint(
                condition=Q(("cash_received__gte", 0)), name="florist_stop_cash_not_negative"
            ),
        ),
    ]
