"""The 39 districts of Istanbul with their centres (contract tickets 2). Existing rows keep what staff changed."""

from pathlib import Path

from django.db import migrations

SOURCE = Path(__file__).resolve().parent.parent / "data" / "districts.tsv"


def load(apps, schema_editor):
    District = apps.get_model("tickets", "District")
    lines = [line for line in SOURCE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    rows = [line.split("\t") for line in lines]
    District.objects.bulk_create(
        (
            District(name=name, city=city, latitude=float(latitude), longitude=float(longitude))
            for name, city, latitude, longitude in rows
        ),
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
