"""What a request hears that no view could take."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from models_hub.models import Repo
from portal.models import User

pytestmark = pytest.mark.django_db


def test_too_many_files_are_told_how_many_may_come(
    as_user: Callable[[User | None], Client], alice: User, make_repo: Callable[..., Repo], settings: Settings
) -> None:
    make_repo(alice, "bert")
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    files = [SimpleUploadedFile(f"{number}.txt", b"x") for number in range(3)]
    page = as_user(alice).post("/alice/bert/upload/main", {"files": files, "title": "All of them"})
    assert page.status_code == 413
    assert "At most 2 files can be sent at once" in page.content.decode()


def test_a_form_over_the_limit_is_told_so(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    page = client.post("/accounts/login/", "login=" + "a" * 200, "application/x-www-form-urlencoded")
    assert page.status_code == 413
    assert "larger than the portal takes at once" in page.content.decode()


def test_a_refused_host_name_is_no_event_of_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert client.get("/", headers={"Host": "a b"}).status_code == 400
    assert caplog.records == []


@pytest.mark.parametrize("path", ["evaluations/9", "benchmarks/9", "suites/none"])
def test_what_the_rest_api_does_not_have_is_told_in_its_one_form(client: Client, path: str) -> None:
    answer = client.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not found.", "code": "not_found"})


class CutOff:
    """A body whose sender is gone."""

    def read(self, *_size: int) -> bytes:
        raise ConnectionResetError

    readline = read


@pytest.mark.parametrize("path", ["/api/validate-yaml", "/api/v1/evaluations"])
def test_a_sender_who_went_away_is_no_failure_of_the_server(client: Client, alice: User, path: str) -> None:
    client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    cut_off = {"wsgi.input": CutOff(), "CONTENT_LENGTH": "100", "CONTENT_TYPE": "application/json"}
    assert client.post(path, **cut_off).status_code == 400  # type: ignore[arg-type]
