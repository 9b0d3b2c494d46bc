"""Papers that cards name, as clients of the Hub ask for them."""

import time

import pytest
from huggingface_hub.hf_api import PaperInfo

from models_hub import cards
from tests.models_hub.wire import Wire

CARD = """---
license: mit
---
# Made after [BERT](https://arxiv.org/abs/1810.04805v2)
and arXiv:1706.03762; not 1234.5678.

```bibtex
@article{devlin2018, title={{BERT}: Deep Bidirectional
  Transformers}, journal={arXiv preprint arXiv:1810.04805}, year={2018}}
```
"""


@pytest.fixture
def named(alice, make_repo):
    make_repo(alice, files={"README.md": CARD})
    make_repo(alice, "rows", kind="dataset", files={"README.md": "From https://huggingface.co/papers/1706.03762"})
    make_repo(alice, "secret", private=True, files={"README.md": "https://arxiv.org/pdf/2501.00001.pdf"})


def listed(address: str) -> list[tuple[str, str | None]]:
    return [(one.id, one.title) for one in (PaperInfo(**row) for row in Wire().get(address).json())]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("https://arxiv.org/abs/1810.04805v2 http://arxiv.org/pdf/1810.04805.pdf", ["1810.04805"]),
        ("arXiv:1706.03762, arxiv 2310.1234", ["1706.03762", "2310.1234"]),
        ("1810.04805 arxiv.org/abs/123 arXiv:1810.048051", []),
    ],
)
def test_papers_are_found_where_a_card_names_them(text, ids):
    assert cards.papers(text) == ids


def test_a_paper_is_shown_with_what_names_it(named):
    found = PaperInfo(**Wire().get("/api/papers/1706.03762").json())
    assert ([one.id for one in found.linked_models], found.num_total_models) == (["alice/bert"], 1)
    assert ([one.id for one in found.linked_datasets], found.num_total_datasets) == (["alice/rows"], 1)
    assert found.title is None  # the citation is of another paper
    assert [row["id"] for row in Wire().get("/api/models?filter=arxiv:1810.04805").json()] == ["alice/bert"]


def test_papers_are_searched_and_listed_by_month(named):
    bert, other = ("1810.04805", "BERT: Deep Bidirectional Transformers"), ("1706.03762", None)
    assert listed("/api/papers/search?q=deep+bert") == [bert]
    assert sorted(listed("/api/daily_papers")) == sorted([bert, other])
    assert listed("/api/daily_papers?limit=1&p=1") == [bert]
    assert listed("/api/daily_papers?month=2017-06") == [other]
    assert Wire().get("/api/daily_papers?date=2025-01-01").status_code == 400
    assert Wire().get("/api/daily_papers?month=June").status_code == 400


def test_what_private_repositories_name_stays_with_them(named, alice, token_of):
    assert Wire().get("/api/papers/2501.00001").status_code == 404
    assert "2501.00001" not in Wire().get("/api/papers/search").content.decode()
    assert Wire(token_of(alice)).get("/api/papers/2501.00001").json()["numTotalModels"] == 1
    assert Wire().get("/api/papers/nothing").status_code == 404


@pytest.mark.parametrize("citation", [f"title={'{' * 900}{'}' * 1000}x", f"title={'{' * 600}a{'}' * 600}{' ' * 700}x"])
def test_a_hostile_citation_takes_no_time(alice, make_repo, citation):
    make_repo(alice, files={"README.md": f"arXiv:1706.03762\n```\n@a{{1706.03762,\n{citation}\n```\n"})
    began = time.process_time()
    assert [name for name, _title in listed("/api/daily_papers")] == ["1706.03762"]
    assert time.process_time() - began < 2
