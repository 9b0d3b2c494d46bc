"""Addresses of the commons' REST API."""

from django.urls import path

from portal.api import audit, jobs, notifications, organizations, people, ssh_keys

urlpatterns = [
    path("me", people.Me.as_view(), name="api_me"),
    path("people/<account:name>", people.OnePerson.as_view(), name="api_person"),
    path("people/<account:name>/followers", people.Followers.as_view(), name="api_followers"),
    path("me/ssh-keys", ssh_keys.SshKeys.as_view(), name="api_ssh_keys"),
    path("me/ssh-keys/<int:key_id>", ssh_keys.OneSshKey.as_view(), name="api_ssh_key"),
    path("me/audit", audit.Audit.as_view(), name="api_audit"),
    path("me/invitations", organizations.MyInvitations.as_view(), name="api_my_invitations"),
    path("me/invitations/<int:invitation_id>", organizations.MyInvitation.as_view()),
    path("me/invitations/<int:invitation_id>/acceptance", organizations.Acceptance.as_view()),
    path("me/following", people.Followed.as_view(), name="api_followed"),
    path("me/following/<account:name>", people.Following.as_view(), name="api_following"),
    path("organizations", people.Organizations.as_view(), name="api_organizations"),
    path("organizations/<account:name>", people.OneOrganization.as_view(), name="api_organization"),
    path("organizations/<account:name>/members", people.Members.as_view(), name="api_members"),
    path("organizations/<account:name>/members/<account:person>", people.OneMember.as_view(), name="api_member"),
    path("organizations/<account:name>/rules", organizations.Rules.as_view()),
    path("organizations/<account:name>/invitations", organizations.Invitations.as_view()),
    path("organizations/<account:name>/invitations/<int:invitation_id>", organizations.OneInvitation.as_view()),
    path("organizations/<account:name>/domains", organizations.Domains.as_view()),
    path("organizations/<account:name>/domains/<int:domain_id>", organizations.OneDomain.as_view()),
    path("organizations/<account:name>/domains/<int:domain_id>/check", organizations.DomainCheck.as_view()),
    path("notifications", notifications.Notifications.as_view(), name="api_notifications"),
    path("notifications/unread", notifications.Unread.as_view(), name="api_notifications_unread"),
    path("notifications/reading", notifications.Reading.as_view(), name="api_notifications_reading"),
    path("notifications/settings", notifications.Hearing.as_view(), name="api_notifications_settings"),
    path("jobs", jobs.Jobs.as_view(), name="api_jobs"),
    path("jobs/<int:job_id>", jobs.OneJob.as_view(), name="api_job"),
    path("jobs/<int:job_id>/cancellation", jobs.Cancellation.as_view(), name="api_job_cancellation"),
    path("jobs/<int:job_id>/log", jobs.Log.as_view(), name="api_job_log"),
]
