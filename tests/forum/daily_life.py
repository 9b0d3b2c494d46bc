"""What happens in a portal while people are away: these run against the data of a live one."""

PEOPLE = """
import json
from django.core.management import call_command
from django.test import Client
from allauth.account.models import EmailAddress
from portal.models import Trust, User
call_command("found_forum", verbosity=0)
sessions = {}
for name, is_staff in {"ines": False, "emil": False, "dora": False, "mona": True, "nils": True}.items():
    user = User.objects.create_user(name, f"{name}@example.org", is_staff=is_staff)
    Trust.objects.update_or_create(user=user, defaults={"level": 2})
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    browser = Client()
    browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    sessions[name] = browser.cookies["sessionid"].value
print(json.dumps(sessions))
"""

# Three days pass, in which nobody is here; the relay delivers, computes and sends, as it does all the time.
DAYS = """
import json
from datetime import timedelta
from allauth.usersessions.models import UserSession
from django.core import mail
from django.db.models import F
from django.test import override_settings
from django.utils import timezone
from portal.models import Device, Event, Notification, Recheck
from worker import mailing, standing
from worker.relay import deliver_events
mail.outbox = []
with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
    Event.objects.update(created_at=F("created_at") - timedelta(hours=73))
    Device.objects.all().delete()  # all of them sit at one machine here, which is a sign of one person
    UserSession.objects.update(last_seen_at=F("last_seen_at") - timedelta(hours=73))
    for _turn in range(3):
        deliver_events()
        Recheck.objects.update(due_at=timezone.now())
        standing.catch_up()
        standing.hourly()
    Notification.objects.update(created_at=F("created_at") - timedelta(hours=1))
    Notification.objects.filter(mail=Notification.Mail.DUE).update(mail_due_at=timezone.now())
    mailing.perform()
    letters = [[one.to, one.subject, one.body, dict(one.extra_headers)] for one in mail.outbox]
print(json.dumps(letters))
"""

AUDIT = """
import json
from django.core.management import call_command
from portal.models import LogEntry
call_command("verify_audit", verbosity=0)
print(json.dumps(list(LogEntry.objects.order_by("seq").values_list("action", "actor_name"))))
"""
