"""Django's administration with our site in it."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    default_site = "portal.administration.AdministrationSite"
