"""/api/v1/models/…/family: which models one was made from, and which were made from it."""

from collections.abc import Iterable, Iterator
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import lineage
from models_hub.api.pages import HubView
from models_hub.describing import RELATIONS
from models_hub.lineage import Relative

Edge = dict[str, Any]


class EdgeShape(serializers.Serializer[Any]):
    """One model that was made from another."""

    base = serializers.CharField()
    relation = serializers.ChoiceField(
        choices=[*RELATIONS, ""], help_text="What was done to the base; empty if unsaid."
    )
    model = serializers.CharField()
    steps = serializers.IntegerField(help_text="How far it is from the model that was asked for; 1 is the nearest.")
    is_here = serializers.BooleanField(help_text="Whether the farther of the two is a model here that you may see.")


class FamilyShape(serializers.Serializer[Any]):
    """Some levels up and down; `children` counts by relation all that were made from this very model."""

    ancestors = EdgeShape(many=True)
    descendants = EdgeShape(many=True)
    children = serializers.DictField(child=serializers.IntegerField())
    is_cut = serializers.BooleanField(help_text="Whether a level has more descendants than are here.")


class Family(HubView):
    @extend_schema(responses=FamilyShape)
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Read the tree of models around one, as its edges: each model with the one it was made from."""
        repo = self.repo(request, kind, namespace, name)
        found = lineage.family(repo, request.user)
        values = {
            "ancestors": [
                {**_edge(one, steps), "base": one.name, "model": near}
                for one, near, steps in _walk(found.parents, repo.full_name)
            ],
            "descendants": [
                {**_edge(one, steps), "base": near, "model": one.name}
                for one, near, steps in _walk(found.children, repo.full_name)
            ],
            "children": lineage.count_children(repo, request.user),
            "is_cut": found.is_cut,
        }
        return Response(FamilyShape(values).data)


def _edge(one: Relative, steps: int) -> Edge:
    return {"relation": one.relation, "steps": steps, "is_here": one.repo is not None}


def _walk(relatives: Iterable[Relative], near: str) -> Iterator[tuple[Relative, str, int]]:
    """Yield each relative with the name of the one next to it on the way, the nearest first."""
    level, steps = [(one, near) for one in relatives], 1
    while level:
        yield from ((one, name, steps) for one, name in level)
        level, steps = [(other, one.name) for one, _near in level for other in one.others], steps + 1
