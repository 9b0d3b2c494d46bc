"""What all pages share is rendered once for each language."""

from django.template import Context, Template
from django.utils import translation


def test_a_part_that_all_see_alike_is_rendered_once_for_each_language():
    asked: list[str] = []

    def name() -> str:
        asked.append(translation.get_language())
        return translation.gettext("Forum")

    page = Template("{% alike %}<b>{{ name }}</b>{% endalike %}{{ own }}")
    shown = []
    for language, own in (("en", "1"), ("zh-hans", "2"), ("en", "3"), ("zh-hans", "4")):
        with translation.override(language):
            shown.append(page.render(Context({"name": name, "own": own})))
    assert shown == ["<b>Forum</b>1", "<b>论坛</b>2", "<b>Forum</b>3", "<b>论坛</b>4"]
    assert asked == ["en", "zh-hans"]
    assert "Another" in page.render(Context({"name": "Another", "site_name": "Other", "own": ""}))
