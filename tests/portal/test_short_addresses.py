"""Addresses that people type because other hubs have them."""

import pytest
from django.urls import resolve

from portal.names import RESERVED
from portal.short_urls import LEADS


@pytest.mark.parametrize("short", LEADS)
def test_a_short_address_leads_to_a_page_and_is_nobodys_name(client, short):
    answer = client.get(f"/{short}?next=/models")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{LEADS[short]}?next=/models")
    assert resolve(LEADS[short])
    assert short in RESERVED
