"""Wallets beside cards: longer names of methods and numbers, who paid, a page inside Telegram."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='payment',
            name='mini_app_url',
            field=models.CharField(blank=True, help_text='Begins with https://t.me/ or is empty', max_length=512, verbose_name='payment page in Telegram'),
        ),
        migrations.AddField(
            model_name='payment',
            name='vendor_payer',
            field=models.CharField(blank=True, help_text='Telegram id of whoever paid in Stars', max_length=64, verbose_name='payer at the gateway'),
        ),
        migrations.AlterField(
            model_name='attempt',
            name='method',
            field=models.CharField(choices=[('octo', 'OCTO'), ('payme', 'Payme'), ('click', 'Click'), ('cash', 'cash'), ('crypto_bot', 'CryptoBot'), ('telegram_stars', 'Telegram Stars'), ('yukassa', 'YooKassa')], max_length=20, verbose_name='method'),
        ),
        migrations.AlterField(
            model_name='gatewaykey',
            name='method',
            field=models.CharField(choices=[('octo', 'OCTO'), ('payme', 'Payme'), ('click', 'Click'), ('cash', 'cash'), ('crypto_bot', 'CryptoBot'), ('telegram_stars', 'Telegram Stars'), ('yukassa', 'YooKassa')], max_length=20, unique=True, verbose_name='method'),
        ),
        migrations.AlterField(
            model_name='payment',
            name='method',
            field=models.CharField(choices=[('octo', 'OCTO'), ('payme', 'Payme'), ('click', 'Click'), ('cash', 'cash'), ('crypto_bot', 'CryptoBot'), ('telegram_stars', 'Telegram Stars'), ('yukassa', 'YooKassa')], max_length=20, verbose_name='method'),
        ),
        migrations.AlterField(
            model_name='payment',
            name='vendor_id',
            field=models.CharField(blank=True, help_text='Empty while it is unknown', max_length=255, null=True, verbose_name="gateway's number"),
        ),
        migrations.AlterField(
            model_name='paymentevent',
            name='method',
            field=models.CharField(choices=[('octo', 'OCTO'), ('payme', 'Payme'), ('click', 'Click'), ('cash', 'cash'), ('crypto_bot', 'CryptoBot'), ('telegram_stars', 'Telegram Stars'), ('yukassa', 'YooKassa')], max_length=20, verbose_name='method'),
        ),
    ]
