"""What left the shop and is made anew: its task covers nothing any more, its stems never come back."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("florist", "0007_cash_by_the_books")]

    operations = [
        migrations.AddField(
            model_name="productiontask",
            name="is_undone",
            field=models.BooleanField(
                default=False,
                editable=False,
                help_text="Approved, but its order came back to be made again",
                verbose_name="made anew",
            ),
        ),
        migrations.AlterField(
            model_name="stockreservation",
            name="state",
            field=models.CharField(
                choices=[
                    ("held", "held"),
                    ("written_off", "written off"),
                    ("released", "released"),
                    ("used_up", "used up"),
                ],
                default="held",
                max_length=11,
                verbose_name="state",
            ),
        ),
    ]
