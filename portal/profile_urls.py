"""The address of a person or an organization: one name, so it comes after everything else."""

from django.urls import path

from portal import path_converters  # noqa: F401  (registers "account")
from portal.views import profiles

urlpatterns = [path("<account:name>", profiles.profile, name="profile")]
