"""What every operation of the REST API may answer alike, for its description."""

from typing import Any

TOO_MANY_REQUESTS: dict[str, Any] = {
    "description": "Too often: wait as long as `Retry-After` says; where it is missing, `error` names the limit.",
    "headers": {
        "Retry-After": {"description": "Seconds until requests are taken again.", "schema": {"type": "integer"}},
        "RateLimit": {
            "description": "What is left, as in every answer: requests (`r`) and seconds until there are more (`t`).",
            "schema": {"type": "string"},
            "example": '"api";r=0;t=55',
        },
        "RateLimit-Policy": {
            "description": "What is allowed, as in every answer: requests (`q`) in a window of seconds (`w`).",
            "schema": {"type": "string"},
            "example": '"fixed window";"api";q=6000;w=300',
        },
    },
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
