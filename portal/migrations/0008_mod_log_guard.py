"""From here on the database refuses to change or delete a line of the log of moderation."""

from django.db import migrations

from portal.mod_log_guard import guard, release


class Migration(migrations.Migration):
    dependencies = [("portal", "0007_community")]
    operations = [migrations.RunPython(guard, release)]
