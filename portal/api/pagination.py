"""Pages of the REST API: newest first, each with the address of the next one; pages never shift under a reader."""

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """`?limit=` sets the page size; `next` in the answer is the address of the following page."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
