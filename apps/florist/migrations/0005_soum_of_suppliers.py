"""Suppliers are paid in soum too."""

from __future__ import annotations

from django.db import migrations, models

CHOICES = [("USD", "USD"), ("EUR", "EUR"), ("KZT", "KZT"), ("UZS", "UZS")]


class Migration(migrations.Migration):
    dependencies = [("florist", "0004_days_opened_again")]

    operations = [
        migrations.AlterField(
            model_name=name,
            name="currency",
            field=models.CharField(choices=CHOICES, default="KZT", max_length=3, verbose_name="currency"),
        )
        for name in ("batch", "supply")
    ]
