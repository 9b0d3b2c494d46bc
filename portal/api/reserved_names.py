"""Fields of an answer whose names the framework keeps for itself."""

from typing import Any

from rest_framework import serializers


class ReservedNames(serializers.Serializer[Any]):
    """Lets a field `fields_` appear as “fields”, which no attribute of a serializer may be called."""

    def get_fields(self) -> dict[str, Any]:
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}
