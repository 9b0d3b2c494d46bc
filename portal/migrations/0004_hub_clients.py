import django.db.models.deletion
import portal.models.oauth
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('portal', '0003_messages_with_data'),
    ]

    operations = [
        migrations.CreateModel(
            name='Authorization',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(max_length=500)),
                ('refresh_digest', models.CharField(editable=False, max_length=64, null=True, unique=True)),
                ('spent_digest', models.CharField(blank=True, db_index=True, editable=False, max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('refreshed_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='AuthorizationCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('scope', models.CharField(max_length=500)),
                ('redirect_uri', models.CharField(max_length=500)),
                ('challenge', models.CharField(blank=True, max_length=128)),
                ('nonce', models.CharField(blank=True, max_length=300)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='DeviceCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('user_code', models.CharField(max_length=9, unique=True)),
                ('scope', models.CharField(max_length=500)),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('approved', 'Approved'), ('denied', 'Denied'), ('used', 'Used')], default='pending', max_length=8)),
                ('interval', models.PositiveSmallIntegerField(default=5)),
                ('polled_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Follow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='OAuthApp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('client_id', models.CharField(default=portal.models.oauth._client_id, max_length=64, unique=True)),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('homepage', models.URLField(blank=True, max_length=300)),
                ('redirect_uris', models.JSONField(default=list)),
                ('secret_digest', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='TokenGrant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('repo_id', models.BigIntegerField(null=True)),
                ('level', models.PositiveSmallIntegerField(choices=[(1, 'read'), (2, 'write'), (3, 'write, with settings and deletion')])),
                ('label', models.CharField(max_length=300)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='namespace',
            name='namespace_has_one_owner',
        ),
        migrations.AddField(
            model_name='accesstoken',
            name='expires_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='accesstoken',
            name='permissions',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='namespace',
            name='is_mirror',
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name='accesstoken',
            name='role',
            field=models.CharField(choices=[('read', 'read'), ('write', 'write'), ('fineGrained', 'fine-grained')], default='read', max_length=12, verbose_name='role'),
        ),
        migrations.AddConstraint(
            model_name='namespace',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('is_mirror', False), models.Q(('user__isnull', True), ('organization__isnull', True), _connector='XOR')), models.Q(('is_mirror', True), ('organization__isnull', True), ('user__isnull', True)), _connector='OR'), name='namespace_has_one_owner'),
        ),
        migrations.AddField(
            model_name='authorization',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='authorizations', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='accesstoken',
            name='authorization',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to='portal.authorization'),
        ),
        migrations.AddField(
            model_name='authorizationcode',
            name='authorization',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='portal.authorization'),
        ),
        migrations.AddField(
            model_name='authorizationcode',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='devicecode',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='follow',
            name='follower',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='follows', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='follow',
            name='namespace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='follows', to='portal.namespace'),
        ),
        migrations.AddField(
            model_name='oauthapp',
            name='owner',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='oauth_apps', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='devicecode',
            name='app',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='portal.oauthapp'),
        ),
        migrations.AddField(
            model_name='authorizationcode',
            name='app',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='portal.oauthapp'),
        ),
        migrations.AddField(
            model_name='authorization',
            name='app',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='authorizations', to='portal.oauthapp'),
        ),
        migrations.AddField(
            model_name='tokengrant',
            name='namespace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='portal.namespace'),
        ),
        migrations.AddField(
            model_name='tokengrant',
            name='token',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='grants', to='portal.accesstoken'),
        ),
        migrations.AddConstraint(
            model_name='follow',
            constraint=models.UniqueConstraint(fields=('follower', 'namespace'), name='follow_once'),
        ),
    ]
