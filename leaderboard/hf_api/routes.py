"""Routes of scores, matched against the raw path like those of models_hub.hf_api."""

from django.urls import path

from leaderboard.hf_api import leaderboards
from models_hub.hf_api.dispatching import by_method

urlpatterns = [
    path(
        "api/datasets/<segment:namespace>/<segment:name>/leaderboard",
        by_method(GET=leaderboards.of_dataset),
    ),
]
