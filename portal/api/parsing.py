"""Reading the bodies of the REST API."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.utils import json

from portal import bounded_json


class BoundedJSONParser(JSONParser):
    """JSON whose depth or number of values the reader cannot take is the sender's fault, not ours."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        try:
            return bounded_json.loads(stream.read(), parse_constant=json.strict_constant)
        except RecursionError as error:
            raise ParseError(_("The JSON is nested too deeply.")) from error
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from error
