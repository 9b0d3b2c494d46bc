"""What a name looks like in an address, so that a view never sees one that nobody can have."""

from django.urls import register_converter

from portal.names import MAX_NAME


class AccountConverter:
    """The name of a person or an organization."""

    regex = rf"[A-Za-z0-9_][A-Za-z0-9._-]{{0,{MAX_NAME - 1}}}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(AccountConverter, "account")
