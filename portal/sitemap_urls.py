"""Addresses of what search engines read."""

from django.urls import path

from portal.views import sitemaps

urlpatterns = [
    path("robots.txt", sitemaps.robots, name="robots"),
    path("sitemap.xml", sitemaps.index, name="sitemap"),
    path("sitemaps/<slug:name>-<int:number>.xml", sitemaps.addresses, name="sitemap_file"),
]
