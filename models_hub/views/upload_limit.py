"""A bound on the body of a form, kept before anything of it is on the disk."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler


class BodyLimit(FileUploadHandler):
    """Refuses a body that says it is too large; what is smaller passes on to the next handler.

    A handler and not a view: the protection against forged forms reads the body before any view runs.
    """

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *args: Any, **kwargs: Any) -> None:  # noqa: N803 - Django's name
        if content_length > settings.MAX_COMMIT_BODY_BYTES:
            raise RequestDataTooBig("The form is larger than MAX_COMMIT_BODY_BYTES.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
