"""Short addresses that people know from other hubs, or would guess; each leads to its page."""

from django.urls import path
from django.views.generic import RedirectView

LEADS = {
    "login": "/accounts/login/",
    "join": "/accounts/signup/",
    "signup": "/accounts/signup/",
    "logout": "/accounts/logout/",
    "settings": "/settings/profile",
    "inbox": "/notifications",
    "new": "/new/model",
    "docs": "/learn",
    "help": "/learn",
}

urlpatterns = [path(short, RedirectView.as_view(url=page, query_string=True)) for short, page in LEADS.items()]
