"""The wire's routes, matched against the raw path. Not a part of the site's address book: see routing.py."""

from django.urls import include, path, re_path

from models_hub.hf_api import commits, files, info, lists, references, repos, trees, uploads, xet_tokens
from models_hub.hf_api.dispatching import by_method

REPO = "api/<kind:kind>/<segment:namespace>/<segment:name>"

urlpatterns = [
    path("", include("models_hub.hf_api.account_routes")),
    path("", include("models_hub.hf_api.repo_routes")),
    path("api/validate-yaml", by_method(POST=repos.validate_yaml)),
    path("api/repos/create", by_method(POST=repos.create)),
    path("api/repos/delete", by_method(DELETE=repos.delete)),
    path("api/<kind:kind>", by_method(GET=lists.repos)),
    path(REPO, by_method(GET=info.at_head)),
    path(f"{REPO}/revision/<segment:revision>", by_method(GET=info.at_revision)),
    path(f"{REPO}/settings", by_method(PUT=repos.settings)),
    path(f"{REPO}/auth-check", by_method(GET=repos.may_read)),
    path(f"{REPO}/auth-check/write", by_method(GET=repos.may_write)),
    path(f"{REPO}/tree/<segment:revision>", by_method(GET=trees.tree), name="tree"),
    path(f"{REPO}/tree/<segment:revision>/<tail:path>", by_method(GET=trees.tree), name="tree"),
    path(f"{REPO}/paths-info/<segment:revision>", by_method(POST=trees.paths_info)),
    path(f"{REPO}/preupload/<segment:revision>", by_method(POST=uploads.preupload)),
    path(f"{REPO}/xet-read-token/<segment:revision>", by_method(GET=xet_tokens.xet_read_token)),
    path(f"{REPO}/xet-write-token/<segment:revision>", by_method(GET=xet_tokens.xet_write_token)),
    path(f"{REPO}/commit/<segment:revision>", by_method(POST=commits.create)),
    path(f"{REPO}/commits/<segment:revision>", by_method(GET=commits.history)),
    path(f"{REPO}/refs", by_method(GET=references.refs)),
    path(
        f"{REPO}/branch/<segment:branch>",
        by_method(POST=references.create_branch, DELETE=references.delete_branch),
    ),
    path(f"{REPO}/tag/<segment:revision>", by_method(POST=references.create_tag, DELETE=references.delete_tag)),
    # Names without an owner reach us in practice; they are simply not there.
    path("api/<kind:kind>/<segment:name>", repos.missing),
    path("api/<kind:kind>/<segment:name>/<word:word>/<tail:rest>", repos.missing),
    path(
        "datasets/<segment:namespace>/<segment:name>/resolve/<segment:revision>/<tail:path>",
        by_method(GET=files.resolve),
        {"kind": "dataset"},
    ),
    path(
        "datasets/<segment:namespace>/<segment:name>/raw/<segment:revision>/<tail:path>",
        by_method(GET=files.raw),
        {"kind": "dataset"},
    ),
    path(
        "<segment:namespace>/<segment:name>/resolve/<segment:revision>/<tail:path>",
        by_method(GET=files.resolve),
        {"kind": "model"},
    ),
    path(
        "<segment:namespace>/<segment:name>/raw/<segment:revision>/<tail:path>",
        by_method(GET=files.raw),
        {"kind": "model"},
    ),
    re_path(r"^(?:datasets/|spaces/)?[^/]+/(?:resolve|raw)/.+$", repos.missing),
]
