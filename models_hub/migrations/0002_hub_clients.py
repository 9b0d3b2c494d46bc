import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('models_hub', '0001_initial'),
        ('portal', '0003_messages_with_data'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AccessRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('pending', 'pending'), ('accepted', 'accepted'), ('rejected', 'rejected')], default='pending', max_length=8)),
                ('fields', models.JSONField(default=dict)),
                ('rejection_reason', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Download',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('caller', models.CharField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name='DownloadDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('count', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Like',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='RepoAlias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('model', 'model'), ('dataset', 'data set'), ('space', 'Space')], max_length=8)),
                ('lower', models.CharField(max_length=96)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.AddField(
            model_name='repo',
            name='downloads_all_time',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='repo',
            name='gated',
            field=models.CharField(blank=True, choices=[('', 'open'), ('auto', 'automatic'), ('manual', 'by hand')], default='', max_length=6),
        ),
        migrations.AddField(
            model_name='repo',
            name='trend',
            field=models.FloatField(default=0),
        ),
        migrations.AlterField(
            model_name='repo',
            name='kind',
            field=models.CharField(choices=[('model', 'model'), ('dataset', 'data set'), ('space', 'Space')], max_length=8),
        ),
        migrations.AddIndex(
            model_name='repo',
            index=models.Index(fields=['kind', '-trend', '-id'], name='repo_trending'),
        ),
        migrations.AddIndex(
            model_name='repo',
            index=models.Index(fields=['kind', '-downloads', '-id'], name='repo_downloads'),
        ),
        migrations.AddIndex(
            model_name='repo',
            index=models.Index(fields=['kind', '-likes', '-id'], name='repo_likes'),
        ),
        migrations.AddIndex(
            model_name='repo',
            index=models.Index(fields=['kind', '-created_at', '-id'], name='repo_newest'),
        ),
        migrations.AddField(
            model_name='accessrequest',
            name='granted_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='accessrequest',
            name='repo',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='access_requests', to='models_hub.repo'),
        ),
        migrations.AddField(
            model_name='accessrequest',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='access_requests', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='download',
            name='repo',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='models_hub.repo'),
        ),
        migrations.AddField(
            model_name='downloadday',
            name='repo',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='download_days', to='models_hub.repo'),
        ),
        migrations.AddField(
            model_name='like',
            name='repo',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='like_rows', to='models_hub.repo'),
        ),
        migrations.AddField(
            model_name='like',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='likes', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='repoalias',
            name='namespace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='repo_aliases', to='portal.namespace'),
        ),
        migrations.AddField(
            model_name='repoalias',
            name='repo',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='aliases', to='models_hub.repo'),
        ),
        migrations.AddIndex(
            model_name='accessrequest',
            index=models.Index(fields=['repo', 'status', '-id'], name='access_request_status'),
        ),
        migrations.AddConstraint(
            model_name='accessrequest',
            constraint=models.UniqueConstraint(fields=('repo', 'user'), name='access_request_once'),
        ),
        migrations.AddIndex(
            model_name='download',
            index=models.Index(fields=['day'], name='download_day'),
        ),
        migrations.AddConstraint(
            model_name='download',
            constraint=models.UniqueConstraint(fields=('repo', 'day', 'caller'), name='download_once'),
        ),
        migrations.AddIndex(
            model_name='downloadday',
            index=models.Index(fields=['day', 'repo'], name='download_day_repo'),
        ),
        migrations.AddConstraint(
            model_name='downloadday',
            constraint=models.UniqueConstraint(fields=('repo', 'day'), name='download_day_once'),
        ),
        migrations.AddConstraint(
            model_name='like',
            constraint=models.UniqueConstraint(fields=('repo', 'user'), name='like_once'),
        ),
        migrations.AddConstraint(
            model_name='repoalias',
            constraint=models.UniqueConstraint(fields=('kind', 'namespace', 'lower'), name='repo_alias_once'),
        ),
    ]
