"""A bouquet for the showcase is made once per key."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("florist", "0002_trigram_search")]

    operations = [
        migrations.AddField(
            model_name="showcasebouquet",
            name="key",
            field=models.CharField(blank=True, editable=False, help_text="Stops a form sent twice", max_length=64),
        ),
        migrations.AddConstraint(
            model_name="showcasebouquet",
            constraint=models.UniqueConstraint(
                fields=["shop", "key"], condition=~models.Q(key=""), name="florist_bouquet_once"
            ),
        ),
    ]
