"""What is wrong with a password is said in the reader's language."""

import re

import pytest

SIGNUP = {"username": "dana", "email": "dana@example.org", "password1": "a1!", "password2": "a1!"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "said"), [("en", "use at least 8 characters"), ("zh-hans", "请至少使用 8 个字符")]
)
def test_a_short_password_is_refused_in_the_readers_language(client, language, said):
    page = client.post("/accounts/signup/", SIGNUP, headers={"accept-language": language})
    assert said in page.content.decode()


@pytest.mark.django_db
def test_every_error_of_the_sign_up_form_is_chinese_to_a_chinese_reader(client):
    page = client.post("/accounts/signup/", {"password1": "123"}, headers={"accept-language": "zh-cn"})
    errors = re.findall(r'class="invalid-feedback[^>]*>(.*?)</div>\s*</div>', page.content.decode(), re.DOTALL)
    assert errors
    assert not [error for error in errors if re.search(r"[a-z]{3}", re.sub(r"<[^>]*>", "", error))]
