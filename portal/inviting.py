"""Inviting somebody to an organization: a row, and a mail with its link to whoever has an address."""

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.models import Invitation, Organization, User


def invite(organization: Organization, *, by: User, whom: User | str, role: str, site: str) -> Invitation:
    """Invite a person, or whoever reads the mail at an address; `site` is the portal’s address in the link."""
    named = whom if isinstance(whom, User) else None
    email = "" if named else str(whom)
    invitation, secret = Invitation.send(organization, by=by, role=role, user=named, email=email)
    address = named.email if named else email
    if address:
        context = {
            "invitation": invitation,
            "organization": organization,
            "by": by,
            "url": site + reverse("invitation", args=[secret]),
            "site_name": settings.SITE_NAME,
            "site_address": site,
        }
        subject = _("%(name)s invites you to %(organization)s")
        send_mail(
            " ".join((subject % {"name": by.username, "organization": organization.name}).split()),
            render_to_string("portal/organizations/invitation.txt", context),
            None,
            [address],
            fail_silently=True,  # the invitation is on the page of whoever has an account all the same
        )
    return invitation
