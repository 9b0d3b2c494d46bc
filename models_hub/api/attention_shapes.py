"""What attention looks like in the REST API: downloads, and who watches."""

from typing import Any

from rest_framework import serializers

from models_hub.models.downloads import Client


class WatchedShape(serializers.Serializer[Any]):
    """Whether the caller watches a repository."""

    watched = serializers.BooleanField()


class DownloadDayShape(serializers.Serializer[Any]):
    """The downloads of one day."""

    day = serializers.DateField()
    count = serializers.IntegerField()


class DownloadClientShape(serializers.Serializer[Any]):
    """How many downloads one kind of program made."""

    client = serializers.ChoiceField(choices=Client.values)
    count = serializers.IntegerField()


class DownloadsShape(serializers.Serializer[Any]):
    """Downloads of the last days, each day there. Nobody got a repository by what stands in `apart`."""

    total = serializers.IntegerField()
    days = DownloadDayShape(many=True, source="bars")
    clients = DownloadClientShape(many=True, source="parts")
    apart = DownloadClientShape(many=True, help_text="Crawlers and checks for a new version, in no other number.")
