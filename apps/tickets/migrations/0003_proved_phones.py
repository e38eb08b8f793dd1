"""Whether a member's phone was proved, and members without one: somebody else has proved theirs."""

from django.db import migrations, models
from django.db.models import F, Q


def believe(apps, schema_editor):
    """Who had no other way to be verified has proved the phone; managers told that of staff; some the house knows."""
    Member = apps.get_model("tickets", "Member")
    proved = Q(is_verified=True) & (Q(email=None) | Q(user__phone=F("phone_number")))
    Member.objects.filter(proved | ~Q(role="CITIZEN")).update(is_phone_proved=True)


class Migration(migrations.Migration):
    dependencies = [("tickets", "0002_districts")]

    operations = [
        migrations.AddField(
            model_name="member",
            name="is_phone_proved",
            field=models.BooleanField(
                default=False, help_text="By a code; a manager who invites is believed", verbose_name="phone proved"
            ),
        ),
        migrations.RemoveConstraint(model_name="member", name="tickets_one_member_per_phone"),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.UniqueConstraint(
                condition=Q(("deleted_at", None), Q(("phone_number", ""), _negated=True)),
                fields=["phone_number"],
                name="tickets_one_member_per_phone",
            ),
        ),
        migrations.RunPython(believe, migrations.RunPython.noop),
    ]
