"""An invoice is what a member wants on his balance; the rest has moved to payments."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('urgent', '0003_bills_to_payments'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='straypayment',
            name='invoice',
        ),
        migrations.AlterModelOptions(
            name='invoice',
            options={'ordering': ['-id'], 'verbose_name': 'invoice', 'verbose_name_plural': 'invoices'},
        ),
        migrations.RemoveConstraint(
            model_name='invoice',
            name='urgent_one_row_per_provider_invoice',
        ),
        migrations.RemoveConstraint(
            model_name='invoice',
            name='urgent_one_row_per_charge',
        ),
        migrations.RemoveConstraint(
            model_name='invoice',
            name='urgent_paid_means_credited',
        ),
        migrations.RemoveIndex(
            model_name='invoice',
            name='urgent_invoices_due',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='charge_id',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='check_at',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='checks_count',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='expires_at',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='mark',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='mini_app_url',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='needs_attention',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='note',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='paid_at',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='pay_url',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='payer_id',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='provider',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='provider_invoice_id',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='refunded_at',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='stars',
        ),
        migrations.RemoveField(
            model_name='invoice',
            name='status',
        ),
        migrations.DeleteModel(
            name='StrayPayment',
        ),
    ]
