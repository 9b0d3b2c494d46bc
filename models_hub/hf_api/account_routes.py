"""The wire's routes that are about people, not about one repository."""

from django.urls import path

from models_hub.hf_api import account, collections, people, webhooks
from models_hub.hf_api.dispatching import by_method

WEBHOOK = "api/settings/webhooks/<segment:webhook>"
COLLECTION = "api/collections/<segment:owner>/<segment:slug>"
USER, ORGANIZATION = "api/users/<segment:name>", "api/organizations/<segment:name>"

urlpatterns = [
    path("api/whoami-v2", by_method(GET=account.whoami)),
    path("api/tokens/report", by_method(POST=account.report_token)),
    path("api/settings/repositories", by_method(GET=account.own_repositories)),
    path(
        "api/organizations/<segment:namespace>/settings/repositories",
        by_method(GET=account.organization_repositories),
    ),
    path(f"{USER}/overview", by_method(GET=people.user_overview)),
    path(f"{USER}/followers", by_method(GET=people.user_followers)),
    path(f"{USER}/following", by_method(GET=people.user_following)),
    path(f"{USER}/follow", by_method(POST=people.follow, DELETE=people.unfollow)),
    path(f"{ORGANIZATION}/overview", by_method(GET=people.organization_overview)),
    path(f"{ORGANIZATION}/followers", by_method(GET=people.organization_followers)),
    path(f"{ORGANIZATION}/members", by_method(GET=people.organization_members)),
    path(f"{ORGANIZATION}/follow", by_method(POST=people.follow, DELETE=people.unfollow)),
    path("api/settings/webhooks", by_method(GET=webhooks.listed, POST=webhooks.create)),
    path(WEBHOOK, by_method(GET=webhooks.show, POST=webhooks.change, DELETE=webhooks.delete)),
    path(f"{WEBHOOK}/enable", by_method(POST=webhooks.enable)),
    path(f"{WEBHOOK}/disable", by_method(POST=webhooks.disable)),
    path("api/collections", by_method(GET=collections.listed, POST=collections.create)),
    path(
        COLLECTION,
        by_method(GET=collections.show, PATCH=collections.change, DELETE=collections.delete),
    ),
    path(f"{COLLECTION}/items", by_method(POST=collections.add_item)),
    path(f"{COLLECTION}/item", by_method(POST=collections.add_item)),
    path(
        f"{COLLECTION}/items/<segment:item>", by_method(PATCH=collections.change_item, DELETE=collections.remove_item)
    ),
    path(f"{COLLECTION}/resource-group", by_method(POST=collections.set_group)),
    path(f"{COLLECTION}/upvote", by_method(POST=collections.upvote, DELETE=collections.withdraw)),
]
