"""Access tokens that carry no further than chosen repositories."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from models_hub.token_forms import FineGrainedForm
from portal.authentication import require_user
from portal.errors import DomainError

PAGE = "models_hub/settings/fine_grained_token.html"


@never_cache
@sensitive_variables("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def fine_grained(request: HttpRequest) -> HttpResponse:
    """Create a fine-grained token. The answer is the only page that ever holds its secret."""
    user = require_user(request)
    form = FineGrainedForm(request.POST if request.method == "POST" else None, user=user)
    if not form.is_valid():
        return render(request, PAGE, {"form": form}, status=400 if form.is_bound else 200)
    try:
        token, secret = form.issue()
    except DomainError as error:
        form.add_error(None, error.message)
        return render(request, PAGE, {"form": form}, status=400)
    context = {"form": FineGrainedForm(user=user), "created": token, "secret": secret}
    return render(request, PAGE, context, status=201)
