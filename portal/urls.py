"""Addresses of the commons."""

from django.urls import include, path

from portal import path_converters  # noqa: F401  (registers "account")
from portal.views import (
    account,
    api_docs,
    avatars,
    following,
    health,
    home,
    invitations,
    jobs,
    oauth_apps,
    oauth_consent,
    oauth_endpoints,
    organization_rules,
    organizations,
    preferences,
    tokens,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("healthz", health.health, name="health"),
    path("api/v1/openapi.yaml", api_docs.openapi, name="api_openapi"),
    path("api/v1/", include("portal.api.urls")),
    path("docs/api", api_docs.reference, name="api_reference"),
    path("avatars/<account:name>.svg", avatars.letter, name="avatar"),
    path("avatars/<account:name>", avatars.picture, name="picture"),
    path("settings/following/<account:name>", following.begin, name="follow"),
    path("settings/following/<account:name>/removal", following.end, name="unfollow"),
    path("settings/profile", preferences.profile, name="settings_profile"),
    path("settings/avatar", preferences.avatar, name="settings_avatar"),
    path("settings/account", account.account, name="settings_account"),
    path("settings/account/preferences", account.preferences, name="settings_preferences"),
    path("settings/account/name", account.name, name="account_name"),
    path("settings/account/deletion", account.deletion, name="account_deletion"),
    path("settings/account/exports", account.exports, name="account_exports"),
    path("settings/account/exports/<int:export_id>", account.export, name="account_export"),
    path("settings/audit", account.audit, name="settings_audit"),
    path("settings/tokens", tokens.tokens, name="settings_tokens"),
    path("settings/tokens/<int:token_id>/revocation", tokens.revocation, name="token_revocation"),
    path("settings/authorizations/<int:authorization_id>/revocation", oauth_apps.revocation, name="app_revocation"),
    path("settings/apps", oauth_apps.apps, name="settings_apps"),
    path("settings/apps/<int:app_id>/removal", oauth_apps.removal, name="app_removal"),
    path(".well-known/openid-configuration", oauth_endpoints.discovery, name="oauth_discovery"),
    path("oauth/jwks", oauth_endpoints.keys, name="oauth_keys"),
    path("oauth/token", oauth_endpoints.token, name="oauth_token"),
    path("oauth/userinfo", oauth_endpoints.userinfo, name="oauth_userinfo"),
    path("oauth/authorize", oauth_consent.authorize, name="oauth_authorize"),
    path("oauth/device", oauth_consent.device, name="oauth_device"),
    path("oauth/device/request", oauth_consent.device_request, name="oauth_device_request"),
    path("oauth/device/decision", oauth_consent.decision, name="oauth_device_decision"),
    path("settings/organizations", organizations.mine, name="settings_organizations"),
    path("organizations/new", organizations.founding, name="organization_new"),
    path("organizations/<account:name>/profile", organizations.profile, name="organization_profile"),
    path("organizations/<account:name>/members", organizations.members, name="organization_members"),
    path("organizations/<account:name>/members/<account:username>/role", organizations.role, name="member_role"),
    path(
        "organizations/<account:name>/members/<account:username>/removal", organizations.removal, name="member_removal"
    ),
    path("organizations/<account:name>/rules", organization_rules.rules, name="organization_rules"),
    path("organizations/<account:name>/handover", organization_rules.handover, name="organization_handover"),
    path("organizations/<account:name>/domains", organization_rules.domains, name="organization_domains"),
    path("organizations/<account:name>/picture", organization_rules.picture, name="organization_picture"),
    path(
        "organizations/<account:name>/domains/<int:domain_id>/check", organization_rules.check, name="domain_check"
    ),
    path(
        "organizations/<account:name>/domains/<int:domain_id>/removal", organization_rules.removal, name="domain_removal"
    ),
    path(
        "organizations/<account:name>/invitations/<int:invitation_id>/withdrawal",
        invitations.withdrawal,
        name="invitation_withdrawal",
    ),
    path("join/<str:secret>", invitations.join, name="invitation"),
    path("settings/invitations/<int:invitation_id>", invitations.answer, name="invitation_answer"),
    path("jobs", jobs.jobs, name="jobs"),
    path("jobs/<int:job_id>", jobs.job, name="job"),
    path("jobs/<int:job_id>/cancellation", jobs.cancellation, name="job_cancellation"),
]
