"""Pages of repositories: whole, quiet and for everybody, in every language, scheme and width.

`PAGES_PICTURES=/some/folder` also writes a picture of each, to be looked at.
"""

from collections.abc import Callable

import pytest

from tests.pages.addresses import REPOSITORIES, Place

pytestmark = [pytest.mark.live, pytest.mark.browser]


@pytest.mark.parametrize("place", REPOSITORIES, ids=str)
def test_a_page_is_whole_quiet_and_accessible(flaws: Callable[[Place], list[str]], place: Place):
    assert flaws(place) == []
