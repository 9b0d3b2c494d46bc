"""/api/v1/…/rules: what protects branches and tags."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import protecting
from models_hub.api.pages import HubView
from models_hub.models import RefRule
from models_hub.models.ref_rules import MAX_APPROVALS
from portal.api.idempotency import once
from portal.models import User


class RuleShape(serializers.ModelSerializer[RefRule]):
    """One rule; `people` are the user names that “listed” means."""

    approvals = serializers.IntegerField(min_value=0, max_value=MAX_APPROVALS, default=0)
    people = serializers.SlugRelatedField(
        slug_field="username", many=True, required=False, queryset=User.objects.filter(is_active=True)
    )

    class Meta:
        model = RefRule
        fields = (
            "id", "target", "pattern", "requires_pull_request", "approvals", "movers", "is_linear", "forbids_force",
            "forbids_deletion", "bypass", "people",
        )  # fmt: skip


class Rules(HubView):
    @extend_schema(responses=RuleShape(many=True))
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """List the rules that protect branches and tags, which admins of the owner may."""
        repo = self.managed(request, kind, namespace, name)
        return Response(RuleShape(repo.ref_rules.prefetch_related("people"), many=True).data)

    @extend_schema(request=RuleShape, responses={201: RuleShape})
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Add a rule."""
        repo = self.managed(request, kind, namespace, name)
        return Response(_saved(RefRule(repo=repo), request, partial=False), status=201)


class OneRule(HubView):
    @extend_schema(request=RuleShape, responses=RuleShape)
    def patch(self, request: Request, kind: str, namespace: str, name: str, rule: int) -> Response:
        """Change a rule."""
        return Response(_saved(self._find(request, kind, namespace, name, rule), request, partial=True))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, kind: str, namespace: str, name: str, rule: int) -> Response:
        """Remove a rule."""
        protecting.remove_rule(self._find(request, kind, namespace, name, rule), by=request.user)
        return Response(status=204)

    def _find(self, request: Request, kind: str, namespace: str, name: str, rule: int) -> RefRule:
        repo = self.managed(request, kind, namespace, name)
        return protecting.find(repo, rule)


def _saved(rule: RefRule, request: Request, *, partial: bool) -> Any:
    sent = RuleShape(data=request.data, partial=partial)
    sent.is_valid(raise_exception=True)
    values = dict(sent.validated_data)
    people = values.pop("people", None)
    if partial and "approvals" not in request.data:
        values.pop("approvals", None)
    for name, value in values.items():
        setattr(rule, name, value)
    return RuleShape(protecting.save_rule(rule, by=request.user, people=people)).data
