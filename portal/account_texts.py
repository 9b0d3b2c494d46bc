"""Texts in allauth's code that a reader can see: named here, our catalogue has the last word on their translation."""

from django.utils.translation import gettext_noop as _

TEXTS = (
    _("Email"),
    _("Username"),
    _("Password"),
    _("Password (again)"),
    _("Current Password"),
    _("New Password"),
    _("New Password (again)"),
    _("Email address"),
    _("Forgot your password?"),
    _("You must type the same password each time."),
    _("Please type your current password."),
    _("Incorrect password."),
    _("This email address is already associated with this account."),
    _("A user is already registered with this email address."),
    _("The username and/or password you specified are not correct."),
    _("The email address and/or password you specified are not correct."),
    _("The email address is not assigned to any user account."),
    _("The password reset token was invalid."),
    _("Too many failed login attempts. Try again later."),
    _("This account is currently inactive."),
    _("You cannot remove your primary email address."),
    _("Your primary email address must be verified."),
    _("Username can not be used. Please use other username."),
    _("You cannot add more than %d email addresses."),
)
