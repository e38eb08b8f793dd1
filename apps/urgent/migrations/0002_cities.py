"""The town list: 1 073 Russian towns from open data (see README, Decisions). Existing rows keep what staff changed."""

from pathlib import Path

from django.db import migrations

SOURCE = Path(__file__).resolve().parent.parent / "data" / "cities.tsv"
STEP = 10
"""Room between two places, so that staff can put a new town where it belongs."""


def load(apps, schema_editor):
    City = apps.get_model("urgent", "City")
    lines = [line for line in SOURCE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    rows = [line.split("\t") for line in lines]
    City.objects.bulk_create(
        (
            City(name=name, latitude=float(latitude), longitude=float(longitude), position=place * STEP)
            for place, (name, latitude, longitude, *_) in enumerate(rows, start=1)
        ),
        batch_size=500,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("urgent", "0001_initial")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
