"""What is sent to ask for something costly: a name that is not known is refused, since it would be passed over else."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

MAX_NAMED = 20


class StrictInput(serializers.Serializer[None]):
    """Input in which every name must be one of its fields."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the values; raises ValidationError that names what is no field."""
        if isinstance(data, Mapping) and (unknown := [str(name) for name in data if name not in self.fields]):
            known = ", ".join(self.fields)
            message = _("There is no such field; there are: %(known)s.") % {"known": known}
            raise serializers.ValidationError({name: [message] for name in sorted(unknown)[:MAX_NAMED]})
        return super().to_internal_value(data)
