"""Routes of discussions, matched against the raw path like those of models_hub.hf_api."""

from django.urls import path

from forum.hf_api import attachments, comments, decisions, topics
from models_hub.hf_api.dispatching import by_method
from models_hub.hf_api.routes import REPO

DISCUSSIONS = f"{REPO}/discussions"
DISCUSSION = f"{DISCUSSIONS}/<int:number>"

urlpatterns = [
    path("uploads", by_method(POST=attachments.add)),
    path(DISCUSSIONS, by_method(GET=topics.listed, POST=topics.create)),
    path(DISCUSSION, by_method(GET=topics.details)),
    path(f"{DISCUSSION}/comment", by_method(POST=comments.add)),
    path(f"{DISCUSSION}/comment/<segment:comment>/edit", by_method(POST=comments.edit)),
    path(f"{DISCUSSION}/comment/<segment:comment>/hide", by_method(POST=comments.hide)),
    path(f"{DISCUSSION}/title", by_method(POST=decisions.rename)),
    path(f"{DISCUSSION}/status", by_method(POST=decisions.change_status)),
    path(f"{DISCUSSION}/merge", by_method(POST=decisions.merge)),
]
