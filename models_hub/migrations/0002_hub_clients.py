import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('models_hub', '0001_initial'),
        ('portal', '0004_hub_clients'),
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
            name='AwaitedBlob',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64)),
                ('size', models.BigIntegerField()),
                ('pointer_oid', models.CharField(max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name='Collection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=60, verbose_name='title')),
                ('description', models.CharField(blank=True, max_length=150, verbose_name='description')),
                ('theme', models.CharField(choices=[('orange', 'orange'), ('blue', 'blue'), ('green', 'green'), ('purple', 'purple'), ('pink', 'pink'), ('indigo', 'indigo')], default='orange', max_length=10)),
                ('private', models.BooleanField(default=False)),
                ('position', models.IntegerField(default=0)),
                ('upvotes', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name='CollectionItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.IntegerField(default=0)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='CollectionUpvote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='DamagedContent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64)),
                ('size', models.BigIntegerField()),
                ('found_at', models.DateTimeField(auto_now_add=True)),
                ('healed_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name_plural': 'damaged contents',
            },
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
            name='FileLock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.TextField()),
                ('path_digest', models.CharField(max_length=64)),
                ('locked_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Import',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('upstream', models.CharField(max_length=300)),
                ('source', models.CharField(max_length=200)),
                ('revisions', models.JSONField(default=list)),
                ('private', models.BooleanField(default=False)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='KnownChunk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hash', models.CharField(db_index=True, max_length=64)),
                ('index', models.PositiveIntegerField()),
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
            name='Mirror',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('upstream', models.CharField(max_length=300, verbose_name='upstream hub')),
                ('checked_at', models.DateTimeField(null=True)),
                ('synced_at', models.DateTimeField(null=True)),
                ('problem', models.TextField(blank=True)),
                ('gone_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Numbering',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('last', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Proposer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sent', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='PullRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('base', models.CharField(default='main', max_length=200)),
                ('status', models.CharField(choices=[('draft', 'draft'), ('open', 'open'), ('closed', 'closed'), ('merged', 'merged')], default='draft', max_length=6)),
                ('merge_commit', models.CharField(blank=True, max_length=40)),
                ('merged_onto', models.CharField(blank=True, max_length=40)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name='QuotaAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('used', models.BigIntegerField(default=0, verbose_name='bytes used')),
                ('limit', models.BigIntegerField(blank=True, help_text='Empty: the limit of the installation.', null=True, verbose_name='limit in bytes')),
            ],
        ),
        migrations.CreateModel(
            name='QuotaEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('content', 'large files'), ('git', 'history and small files'), ('upload', 'uploads that no file uses yet'), ('moved', 'repository moved'), ('deleted', 'repository deleted'), ('collected', 'unused data removed'), ('opening', 'held when counting began'), ('corrected', 'corrected by a recount')], max_length=10)),
                ('bytes', models.BigIntegerField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name_plural': 'quota entries',
            },
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
        migrations.CreateModel(
            name='RepoMeasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('current', models.BigIntegerField()),
                ('history', models.BigIntegerField()),
                ('unused', models.BigIntegerField()),
                ('measured_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Reservation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64, unique=True)),
                ('bytes', models.BigIntegerField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='UpkeepRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('collection', 'Collection'), ('scrub', 'Scrub')], max_length=10)),
                ('started_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('cursor', models.CharField(blank=True, max_length=64)),
                ('figures', models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.URLField(max_length=1000, verbose_name='address')),
                ('domains', models.JSONField(default=list)),
                ('sealed_secret', models.TextField(blank=True, editable=False)),
                ('disabled', models.BooleanField(default=False)),
                ('disabled_reason', models.CharField(blank=True, max_length=300)),
                ('site', models.CharField(blank=True, max_length=200)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(max_length=40)),
                ('action', models.CharField(max_length=10)),
                ('is_repeat', models.BooleanField(default=False)),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('delivered', 'delivered'), ('failed', 'failed'), ('dropped', 'not sent')], default='waiting', max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('body', models.TextField(blank=True)),
                ('answer', models.CharField(blank=True, max_length=1000)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='WebhookTarget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('type', models.CharField(choices=[('user', 'user'), ('org', 'org'), ('model', 'model'), ('dataset', 'dataset'), ('space', 'space'), ('bucket', 'bucket')], max_length=8)),
                ('name', models.CharField(max_length=200)),
                ('lower', models.CharField(max_length=200)),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='XorbHolding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('unused', models.BigIntegerField()),
                ('touched_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='XorbRight',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('renewed_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.AddField(
            model_name='blob',
            name='unheld_since',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='gitobject',
            name='unreachable_since',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='ref',
            name='tag_oid',
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name='repo',
            name='citation',
            field=models.TextField(blank=True, default=''),
        ),
        migrations.AddField(
            model_name='repo',
            name='description',
            field=models.TextField(blank=True, default=''),
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
        migrations.AddField(
            model_name='repoblob',
            name='unreferenced_since',
            field=models.DateTimeField(null=True),
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
            model_name='awaitedblob',
            name='repo',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='awaited', to='models_hub.repo'),
        ),
        migrations.AddField(
            model_name='collection',
            name='created_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='collection',
            name='namespace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='collections', to='portal.namespace'),
        ),
        migrations.AddField(
            model_name='collectionitem',
            name='collection',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='models_hub.collection'),
        ),
        migrations.AddField(
            model_name='collectionitem',
            name='linked',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='models_hub.collection'),
        ),
        migrations.AddField(
            model_name='collectionitem',
            name='repo',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='models_hub.repo'),
        ),
        migrations.AddField(
            model_name='collectionupvote',
            name='collection',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='votes', to='models_hub.collection'),
        ),
        migrations.AddField(
            model_name='collectionupvote',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='damagedcontent',
            constraint=models.UniqueConstraint(condition=models.Q(('healed_at', None)), fields=('key',), name='damaged_once'),
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
            model_name='filelock',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='filelock',
            name='repo',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='file_locks', to='models_hub.repo'),
        ),
        migrations.AddField(
            model_name='import',
            name='job',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='portal.job'),
        ),
        migrations.AddField(
            model_name='import',
            name='repo',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='origin', to='models_hub.repo'),
        ),
        migrations.AddField(
            model_name='import',
            name='requested_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='knownchunk',
            name='xorb',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='known_chunks', to='models_hub.xorb'),
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
            model_name='mirror',
            name='repo',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='mirror', to='models_hub.repo'),
        ),
        migrations.AddField(
            model_name='numbering',
            name='repo',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='numbering', to='models_hub.repo'),
        ),
        migrations.AddField(
            model_name='proposer',
            name='repo',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='proposers', to='models_hub.repo'),
        ),
        migrations.AddField(
            model_name='proposer',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='pullrequest',
            name='author',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='pull_requests', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='pullrequest',
            name='merged_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='pullrequest',
            name='repo',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pull_requests', to='models_hub.repo'),
        ),
        migrations.AddField(
            model_name='quotaaccount',
            name='namespace',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='quota', to='portal.namespace'),
        ),
        migrations.AddField(
            model_name='quotaentry',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='models_hub.quotaaccount'),
        ),
        migrations.AddField(
            model_name='quotaentry',
            name='repo',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='models_hub.repo'),
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
        migrations.AddField(
            model_name='repomeasure',
            name='repo',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='measure', to='models_hub.repo'),
        ),
        migrations.AddField(
            model_name='reservation',
            name='repo',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reservations', to='models_hub.repo'),
        ),
        migrations.AddIndex(
            model_name='upkeeprun',
            index=models.Index(fields=['kind', '-id'], name='upkeep_latest'),
        ),
        migrations.AddField(
            model_name='webhook',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='webhooks', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='webhookdelivery',
            name='event',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='portal.event'),
        ),
        migrations.AddField(
            model_name='webhookdelivery',
            name='webhook',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='models_hub.webhook'),
        ),
        migrations.AddField(
            model_name='webhooktarget',
            name='webhook',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='targets', to='models_hub.webhook'),
        ),
        migrations.AddField(
            model_name='xorbholding',
            name='namespace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='portal.namespace'),
        ),
        migrations.AddField(
            model_name='xorbholding',
            name='xorb',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='holdings', to='models_hub.xorb'),
        ),
        migrations.AddField(
            model_name='xorbright',
            name='access',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='portal.accesstoken'),
        ),
        migrations.AddField(
            model_name='xorbright',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='xorbright',
            name='xorb',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rights', to='models_hub.xorb'),
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
            model_name='awaitedblob',
            index=models.Index(fields=['repo', 'sha256'], name='awaited_sha256'),
        ),
        migrations.AddConstraint(
            model_name='awaitedblob',
            constraint=models.UniqueConstraint(fields=('repo', 'pointer_oid'), name='awaited_once'),
        ),
        migrations.AddIndex(
            model_name='collection',
            index=models.Index(fields=['-updated_at', '-id'], name='collection_latest'),
        ),
        migrations.AddIndex(
            model_name='collection',
            index=models.Index(fields=['-upvotes', '-id'], name='collection_upvoted'),
        ),
        migrations.AddConstraint(
            model_name='collectionitem',
            constraint=models.CheckConstraint(condition=models.Q(('repo__isnull', True), ('linked__isnull', True), _connector='XOR'), name='collection_item_is_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='collectionitem',
            constraint=models.UniqueConstraint(fields=('collection', 'repo'), name='collection_repo_once'),
        ),
        migrations.AddConstraint(
            model_name='collectionitem',
            constraint=models.UniqueConstraint(fields=('collection', 'linked'), name='collection_linked_once'),
        ),
        migrations.AddConstraint(
            model_name='collectionupvote',
            constraint=models.UniqueConstraint(fields=('collection', 'user'), name='collection_upvote_once'),
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
            model_name='filelock',
            constraint=models.UniqueConstraint(fields=('repo', 'path_digest'), name='file_lock_once'),
        ),
        migrations.AddConstraint(
            model_name='knownchunk',
            constraint=models.UniqueConstraint(fields=('xorb', 'index'), name='known_chunk_once'),
        ),
        migrations.AddConstraint(
            model_name='like',
            constraint=models.UniqueConstraint(fields=('repo', 'user'), name='like_once'),
        ),
        migrations.AddConstraint(
            model_name='proposer',
            constraint=models.UniqueConstraint(fields=('repo', 'user'), name='proposer_once'),
        ),
        migrations.AddIndex(
            model_name='pullrequest',
            index=models.Index(fields=['repo', 'author', 'status'], name='pull_request_of_author'),
        ),
        migrations.AddConstraint(
            model_name='pullrequest',
            constraint=models.UniqueConstraint(fields=('repo', 'number'), name='pull_request_number_once'),
        ),
        migrations.AddConstraint(
            model_name='repoalias',
            constraint=models.UniqueConstraint(fields=('kind', 'namespace', 'lower'), name='repo_alias_once'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['webhook', '-id'], name='webhook_delivery_latest'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['created_at'], name='webhook_delivery_age'),
        ),
        migrations.AddIndex(
            model_name='webhooktarget',
            index=models.Index(fields=['lower', 'type'], name='webhook_target_name'),
        ),
        migrations.AddConstraint(
            model_name='webhooktarget',
            constraint=models.UniqueConstraint(fields=('webhook', 'type', 'lower'), name='webhook_target_once'),
        ),
        migrations.AddConstraint(
            model_name='xorbholding',
            constraint=models.UniqueConstraint(fields=('xorb', 'namespace'), name='xorb_holding_once'),
        ),
        migrations.AddConstraint(
            model_name='xorbright',
            constraint=models.UniqueConstraint(fields=('xorb', 'user', 'access'), name='xorb_right_once'),
        ),
    ]
