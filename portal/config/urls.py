"""The site's address book. Apps are named as strings; repositories (any two names) and profiles (any one) come last."""

from django.contrib import admin
from django.urls import include, path

handler400 = "portal.views.errors.bad_request"
handler403 = "portal.views.errors.permission_denied"
handler404 = "portal.views.errors.page_not_found"
handler429 = "portal.views.errors.too_many_requests"  # allauth's name for its rate limits
handler500 = "portal.views.errors.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("portal.urls")),
    path("", include("portal.moderation_urls")),
    path("", include("portal.sitemap_urls")),
    path("", include("portal.short_urls")),
    path("", include("leaderboard.urls")),
    path("", include("forum.urls")),
    path("", include("models_hub.urls")),
    path("", include("portal.profile_urls")),
]
