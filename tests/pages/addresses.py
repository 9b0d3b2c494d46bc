"""Every page of the portal, as one address in the world of `stock`; a test holds it against the address books."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver


class Place(NamedTuple):
    """A page and who looks at it; braces stand for facts of the stock."""

    address: str
    who: str = "alice"
    status: int = 200
    lands: str = ""  # where it leads to, if elsewhere

    def __str__(self) -> str:
        return f"{self.address} ({self.who})" if self.who != "alice" else self.address


NOBODY = """
/ /models /datasets /spaces /collections /leaderboard /benchmarks /search?q=tiny /alice /lab /alice/tiny
/leaderboard?task=text-classification&q=nothing-of-that-name /leaderboard/mood?size=5M&license=mit&language=zh
/models?search=tiny&task=text-classification&sort=likes /models?search=nothing-of-that-name /datasets/alice/mood
/alice/tiny/tree/main /accounts/login/ /accounts/signup/ /accounts/password/reset/ /accounts/password/reset/done/
/accounts/password/reset/key/1-set-password/ /accounts/confirm-email/unknown/
/accounts/3rdparty/login/cancelled/  /accounts/inactive/ /accounts/confirm-email/
/rules /transparency /find?task=text-classification&memory=1
/forum /forum/latest /forum/latest?show=top /forum/c/questions /forum/tags
/forum/t/{thread}/which-one-for-chinese /forum/search /compare
/learn /learn/publish-a-model /learn/search?q=flip
/accounts/password/reset/key/done/ /docs/api /alice/gated /accounts/confirm-email/{confirm}/
"""
SIGNED_IN = """
/reports /appeals /appeals/{notice} /reports/new?about=user:{bob} /reports/new?about=user:{bob}&claim=copyright
/ /models /spaces /alice /lab /alice?tab=models /alice?tab=activity /alice?tab=likes /alice?tab=followers
/alice?tab=collections /bob?tab=following
/badges /badges/first-light /badges/doc-writer /badges/mentor /badges/claims /bob?tab=badges /trust /seasons
/seasons?track=help /reputation /awards
/accounts/logout/ /accounts/email/ /accounts/password/change/ /accounts/2fa/ /accounts/sessions/
/accounts/reauthenticate/ /accounts/2fa/webauthn/
/accounts/3rdparty/
/forum /forum/latest /forum/c/questions /forum/unread /forum/unread/new /forum/search?q=tiny
/forum/t/{thread}/which-one-for-chinese
/forum/tags/tiny /forum/new /forum/new?category=questions /forum/drafts /forum/bookmarks /forum/topics/{thread}/replies
/forum/topics/{thread}/order /forum/posts/{answer} /forum/posts/{answer}/edit /forum/posts/{answer}/history
/learn /learn/test-robustness /learn/glossary /learn/search?q=robust /learn/articles /learn/articles/{article}
/notifications /notifications?unread=1 /settings/notifications /organizations/lab/webhooks
/settings/profile /settings/account /settings/audit /settings/tokens /settings/apps /settings/organizations
/settings/tokens/fine-grained /settings/deleted /settings/storage /settings/webhooks /settings/webhooks/{webhook}
/settings/ssh-keys /settings/publishers /organizations/lab/publishers
/oauth/device?user_code={device} /oauth/authorize?client_id={app}&response_type=code&scope=openid
/organizations/new /organizations/lab/profile /organizations/lab/rules /organizations/lab/members
/organizations/lab/deleted /organizations/lab/storage /jobs /jobs/workers /jobs/{job} /feed /settings/following
/settings/account/merging /settings/account/merging/{merge}
/runs /runs/new /runs/new?task=text-classification&base=alice/waiting&dataset=alice/mood
/runs/new?task=text-classification&base=&dataset=alice/mood /runs/{run} /runs/{going} /runs/{smaller}
/runs/compare?run={run}&run={going} /runs/conversions/new /runs/conversions/new?base=alice/waiting
/runs/conversions/new?base=alice/waiting&dataset=alice/mood&task=text-classification
/runs/studies /runs/studies/{study} /runs/studies/new?like={run}
/leaderboard/mood /leaderboard/answers /leaderboard/proposals /leaderboard/proposals/new
/benchmarks/{benchmark} /evaluations/{evaluation} /evaluations/{waiting} /evaluations/{evaluation}/examples
/compare?model=alice/tiny&model=alice/rival /compare/speed?model=alice/tiny&model=alice/rival
/compare/examples?model=alice/tiny&model=alice/rival /compare/files?model=alice/tiny&model=alice/rival
/leaderboard/mood/charts /leaderboard/mood/charts?chart=ranks /leaderboard/mood/charts?chart=history
/leaderboard/mood/export /leaderboard/mood/elsewhere /alice/tiny/export /alice/tiny/elsewhere
/find/examples /find/examples/new /find/{tried} /submissions /submissions/new
/challenges /challenges/new /challenges/series/moods /challenges/{challenge} /challenges/{challenge}/rules
/challenges/{challenge}/data /challenges/{challenge}/standings /challenges/{challenge}/entries
/challenges/{challenge}/team /challenges/{outcome}/standings /challenges/{outcome}/objections
/challenges/{own_challenge}/manage /challenges/{own_challenge}/edit
/benchmarks/wishes /benchmarks/catalogue /benchmarks/catalogue/ocnli /benchmarks/catalogue?q=nothing-of-that-name
/collections/new /{collection} /new/model /new/dataset /new/space /new/import /join/{join}
/alice/tiny /alice/tiny/card /alice/tiny/evaluations /alice/tiny/family /alice/tiny/discussions
/alice/tiny/discussions?status=closed /alice/tiny/discussions/new /alice/tiny/discussions/{talk}
/alice/tiny/discussions/{talk}/comments/{comment}
/alice/tiny/discussions/{pull} /alice/tiny/discussions/{pull}/files
/alice/tiny/tree/main /alice/tiny/tree/main/folder/inner /alice/tiny/blob/main/README.md
/alice/tiny/blob/main/code.py /alice/tiny/blob/main/config.json /alice/tiny/blob/main/data.json?view=tree
/alice/tiny/blob/main/model.safetensors /alice/tiny/blob/main/model.safetensors?view=list
/alice/tiny/blob/main/tiny.gguf /alice/tiny/blob/main/notes.ipynb /alice/tiny/blob/main/picture.png
/alice/tiny/blob/main/sound.wav /alice/tiny/blob/main/paper.pdf /alice/tiny/blob/main/drawing.svg
/alice/tiny/blob/main/settings.yaml /alice/tiny/blob/main/table.csv /alice/tiny/blob/main/rows.jsonl
/alice/tiny/blob/main/docs/guide.md /alice/tiny/blob/v1.0.0/weights.bin /alice/tiny/blob/main/folder/inner/{long}
/alice/tiny/table/main/table.csv /alice/tiny/tokenizer /alice/tiny/tokenizer/main/tokenizer.json
/alice/waiting/explanation /alice/waiting/explanation/{explained}
/datasets/alice/mood/annotate /datasets/alice/mood/annotate/{queue} /datasets/alice/mood/annotate/{queue}?row=0
/datasets/alice/mood/annotate/{queue}/overview /datasets/alice/mood/annotate/{names_queue}
/datasets/alice/mood/annotate/{empty_queue}
/alice/tiny/downloads /alice/tiny/commits/main /alice/tiny/commit/{first} /alice/tiny/commit/{second}
/alice/tiny/restoration/v1.0.0 /alice/tiny/compare /alice/tiny/compare/v1.0.0...main /alice/tiny/branches
/alice/tiny/compare/{first}..{second} /alice/tiny/branches/try/longer/deletion /alice/tiny/releases
/alice/tiny/releases/new /alice/tiny/releases/tag/v1.0.0 /alice/tiny/releases/edit/v1.0.0 /alice/tiny/tags
/alice/tiny/tags/nightly/deletion
/alice/tiny/upload/main /alice/tiny/new/main /alice/tiny/edit/main/code.py /alice/tiny/edit/main/README.md
/alice/tiny/move/main/code.py /alice/tiny/removal/main/code.py /alice/tiny/collections /alice/tiny/settings
/alice/tiny/settings/branches /alice/tiny/settings/branches/{rule} /alice/tiny/storage /alice/tiny/settings/publishers
/alice/empty /alice/empty/tree/main /alice/empty/card /alice/empty/commits/main /alice/empty/discussions
/alice/empty/evaluations /alice/empty/releases /alice/empty/upload/main /alice/waiting/upload/main
/alice/gated /alice/gated/settings /alice/gated/settings/access /alice/secret /alice/secret/settings
/datasets/alice/mood /datasets/alice/mood/data/main /datasets/alice/mood/data/main?config=table
/datasets/alice/mood/data/main?config=columns&q=7 /datasets/alice/mood/card
/datasets/alice/mood/tree/main /datasets/alice/mood/settings
/spaces/alice/page /spaces/alice/page/tree/main /spaces/alice/page/settings
"""
CONFIRMED = """
/accounts/2fa/totp/activate/ /accounts/2fa/webauthn/add/
"""
SECOND_FACTOR = """
/accounts/2fa/ /accounts/2fa/webauthn/ /accounts/2fa/webauthn/keys/{key}/edit/
/accounts/2fa/webauthn/keys/{key}/remove/ /accounts/2fa/reauthenticate/ /accounts/2fa/webauthn/reauthenticate/
/accounts/2fa/totp/deactivate/ /accounts/2fa/recovery-codes/ /accounts/2fa/recovery-codes/generate/
/accounts/sessions/
"""
OTHERS = """
/alice/gated /settings/organizations /alice/tiny /alice/tiny/discussions/{talk}
/alice/tiny/edit/main/code.py /alice/tiny/upload/main
"""
PLACES = [
    Place(address, who)
    for who, addresses in (
        ("", NOBODY),
        ("alice", SIGNED_IN),
        ("charlie", OTHERS),
        ("alice, who just gave her password", CONFIRMED),
        ("fay", SECOND_FACTOR),
        ("fay, who owes a code", "/accounts/2fa/authenticate/"),
        ("una, who moderates", "/leaderboard/proposals /leaderboard/proposals/{proposal} /leaderboard/mood"),
        ("una, who moderates", "/seasons/{season} /awards /trust /badges/claims"),
        ("una, who moderates", "/moderation /moderation?status=closed /moderation/cases/{case} /moderation/appeals"),
        ("una, who moderates", "/moderation/appeals/{appeal} /moderation/words /moderation/settings /moderation/log"),
        ("una, who moderates", "/forum/categories /forum/categories/new /forum/c/questions/settings"),
        ("hal", "/accounts/3rdparty/ /accounts/password/set/ /accounts/2fa/"),
        ("ivy, who comes from elsewhere", "/accounts/3rdparty/signup/"),
    )
    for address in addresses.split()
]
PLACES += [
    Place("/accounts/3rdparty/login/error/", "", 401),  # as that page of the library does
    Place("/nobody-of-that-name/nothing", "", 404),
    Place("/accounts/password/reset/key/{reset}/", "", lands="/accounts/password/reset/key/{reset_lands}/"),
    Place("/oauth/device", "", lands="/accounts/login/"),
    Place("/new/bundle", lands="/new/import"),
    Place("/forum/t/{thread}", lands="/forum/t/{thread}/which-one-for-chinese"),
    Place("/notifications/{notification}", lands="/bob"),
    Place("/unsubscribe/{stop}", ""),
]
REPOSITORIES = [one for one in PLACES if one.address.startswith(("/alice/", "/datasets/alice/", "/spaces/alice/"))]
THE_REST = [one for one in PLACES if one not in REPOSITORIES]

# What answers GET and yet is no page of its own, or cannot be looked at in this world, each with its reason.
NO_PAGES = {
    "for programs": r"api/|cas/|v1/|oauth/(jwks|token|user)|\.well-known/|healthz|.*/(info|git-|archive)|.*:resolve",
    "what programs ask for and is not here": r"\(\?:kernels\|buckets\)|papers/",
    "the admin of Django": r"admin/",
    "for search engines": r"robots|sitemap",
    "curves of runs as files": r"runs/.*/(log\.csv|events)$",
    "pictures of badges": r"badges/.*svg",
    "feeds and marks of the forum": r".*forum/.*atom|learn/.*atom|feed/.*atom|.*forum/topics/.*/(news|read)\$$",
    "files, feeds and frames of boards": r"leaderboard(/.*)?\.(atom|csv|json|parquet)|.*csv\|json\|parquet.*|.*/embed$",
    "charts as files": r".*charts\.svg",
    "files of challenges": r"challenges/.*(questions|standings.csv)",
    "bytes and feeds": r"avatars/|uploads|.*/releases/feed|.*/exports|.*/bundle$|.*recovery-codes/download",
    "fragments": r"fragments/|.*/(count|summary|recent|benchmarks)\$?$|models/latest|search/sug|leaderboard/top",
    "forms with a page only when they are refused": r"settings/account/(deletion|name)|organizations/.*/name|i18n/",
    "the form with which administrators name two accounts": r"settings/account/merging/proposal",
    "the appeal of who may not sign in": r"appeals/from-sign-in/",
    "what browsers keep to show messages": r"settings/notifications/worker\.js",
    "for scripts": r"accounts/2fa/webauthn/login/|.*forum/names$|.*/quotation\$?$|.*forum/drafts/\(",
    "leading to the feed": r"watching$",
    "leading to the page of an answer": r".*forum/posts/.*/reply\$?$",
    "short addresses of pages": r"(login|join|signup|logout|settings|inbox|new|docs|help)$",
    "other names of pages, and one that leads on without a code by mail": r"accounts/(social/|login/code/confirm)",
}


def walk(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every route, as Django writes it, with its view."""
    for one in resolver.url_patterns:
        route = before + str(one.pattern).removeprefix("^") if before else str(one.pattern)
        if isinstance(one, URLResolver):
            yield from walk(one, route)
        elif isinstance(one, URLPattern):
            yield route, one.callback


def takes_get(view: Any) -> bool:
    """Whether a view may be looked at; what takes only forms is wrapped by Django's `require_http_methods`."""
    while view is not None:
        kept = dict(zip(getattr(view, "__code__", takes_get.__code__).co_freevars, view.__closure__ or (), strict=True))
        if "request_method_list" in kept:
            return "GET" in kept["request_method_list"].cell_contents
        view = getattr(view, "__wrapped__", None)
    return True
