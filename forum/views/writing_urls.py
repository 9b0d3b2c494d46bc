"""Addresses of the forum where people write, and where order is kept."""

from django.urls import path, re_path

from forum.views import categories, composing, drafts, editing, order, post_acts

TOPIC = r"^forum/topics/(?P<pk>[1-9]\d{0,17})"
POST = r"^forum/posts/(?P<pk>[1-9]\d{0,17})"

urlpatterns = [
    path("forum/new", composing.new, name="forum_new"),
    path("forum/preview", composing.preview, name="forum_preview"),
    path("forum/pictures", composing.pictures, name="forum_pictures"),
    path("forum/names", composing.names, name="forum_names"),
    path("fragments/names/tag", composing.tag_names, name="forum_tag_names"),
    path("forum/bookmarks", post_acts.bookmarks, name="forum_bookmarks"),
    path("forum/drafts", drafts.listed, name="forum_drafts"),
    re_path(r"^forum/drafts/(?P<key>[a-z]+(?::[a-z]+)?(?::\d{1,18})?)$", drafts.draft, name="forum_draft"),
    re_path(
        r"^forum/drafts/(?P<key>[a-z]+(?::[a-z]+)?(?::\d{1,18})?)/removal$", drafts.removal, name="forum_draft_removal"
    ),
    path("forum/categories", categories.listed, name="forum_categories"),
    path("forum/categories/new", categories.new, name="forum_category_new"),
    path("forum/c/<slug:slug>/settings", categories.edit, name="forum_category_edit"),
    path("forum/c/<slug:slug>/archiving", categories.archiving, name="forum_category_archiving"),
    path("forum/c/<slug:slug>/stewards", categories.stewards, name="forum_stewards"),
    path("forum/c/<slug:slug>/stewards/<int:steward>/removal", categories.steward_removal, name="steward_removal"),
    re_path(rf"{TOPIC}/replies$", composing.reply, name="forum_reply"),
    re_path(rf"{TOPIC}/vote$", order.vote, name="forum_vote"),
    re_path(rf"{TOPIC}/poll/closure$", order.poll_closure, name="forum_poll_closure"),
    re_path(rf"{TOPIC}/order$", order.order, name="forum_order"),
    re_path(rf"{TOPIC}/order/(?P<what>{'|'.join(order.ACTS)})$", order.act, name="forum_order_act"),
    re_path(rf"{POST}$", post_acts.menu, name="forum_post"),
    re_path(rf"{POST}/reply$", composing.reply_to, name="forum_post_reply"),
    re_path(rf"{POST}/quotation$", composing.quote, name="forum_post_quotation"),
    re_path(rf"{POST}/edit$", editing.edit, name="forum_post_edit"),
    re_path(rf"{POST}/history$", post_acts.history, name="forum_post_history"),
    re_path(rf"{POST}/hiding$", post_acts.hiding, name="forum_post_hiding"),
    re_path(rf"{POST}/reactions/(?P<kind>[a-z]{{1,10}})$", post_acts.reaction, name="forum_post_reaction"),
    re_path(rf"{POST}/acceptance$", post_acts.acceptance, name="forum_post_acceptance"),
    re_path(rf"{POST}/bookmark$", post_acts.bookmark, name="forum_post_bookmark"),
    re_path(rf"{POST}/bookmark/removal$", post_acts.bookmark_removal, name="forum_post_bookmark_removal"),
]
