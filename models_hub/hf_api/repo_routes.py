"""The wire's routes about one repository as a whole, beside those of its files; and about what is not here at all."""

from django.urls import path, re_path

from models_hub.hf_api import absent, access, copies, files, large_files, likes, papers, repos, tags
from models_hub.hf_api.dispatching import by_method

REPO = "api/<kind:kind>/<segment:namespace>/<segment:name>"
SPACE = "spaces/<segment:namespace>/<segment:name>"
AT_PATH = "<segment:revision>/<tail:path>"
OF_SPACE = {"kind": "space"}

urlpatterns = [
    path("api/repos/move", by_method(POST=repos.move)),
    path(f"{REPO}/duplicate", by_method(POST=copies.duplicate)),
    path(f"{REPO}/super-squash/<segment:branch>", by_method(POST=copies.super_squash)),
    path(f"{REPO}/lfs-files", by_method(GET=large_files.listed)),
    path(f"{REPO}/lfs-files/batch", by_method(POST=large_files.delete)),
    path(f"{REPO}/lfs-files/duplicate", by_method(POST=large_files.duplicate)),
    path(f"{REPO}/like", by_method(POST=likes.like, DELETE=likes.unlike)),
    path(f"{REPO}/likers", by_method(GET=likes.likers)),
    path("api/users/<segment:username>/likes", by_method(GET=likes.of_user)),
    path(f"{REPO}/user-access-request", by_method(POST=access.ask)),
    path(f"{REPO}/user-access-request/handle", by_method(POST=access.handle)),
    path(f"{REPO}/user-access-request/grant", by_method(POST=access.grant)),
    path(f"{REPO}/user-access-request/<segment:status>", by_method(GET=access.listed)),
    path(
        "api/models/<segment:namespace>/<segment:name>/safetensors-metadata/<tail:path>",
        by_method(GET=large_files.safetensors_metadata),
    ),
    path("api/<kind:kind>-tags-by-type", by_method(GET=tags.by_type)),
    path("api/tasks", by_method(GET=tags.tasks)),
    path("api/papers/search", by_method(GET=papers.search)),
    path("api/papers/<segment:paper>", by_method(GET=papers.show)),
    path("api/daily_papers", by_method(GET=papers.newest)),
    # What runs, is written or is counted elsewhere. Asked for in passing, these must be answered at once.
    path("api/agent-harnesses", by_method(GET=absent.agent_harnesses)),
    re_path(r"^api/telemetry(?:/.*)?$", absent.telemetry),
    path("api/spaces/templates", by_method(GET=absent.space_templates)),
    path("api/spaces/hardware", absent.space_runtime),
    path("api/spaces/semantic-search", absent.semantic_search),
    path("api/spaces/zero-gpu/quota", absent.space_runtime),
    re_path(
        r"^api/spaces/(?P<namespace>[^/]+)/(?P<name>[^/]+)/(?P<what>secrets|variables|runtime|hardware|sleeptime|pause|"
        r"restart|logs|metrics|events|dev-mode|volumes|storage)(?:/.*)?$",
        absent.of_space,
    ),
    re_path(r"^(?P<what>kernels|buckets)/[^/]+/[^/]+/resolve/.+$", absent.nothing_of),
    re_path(r"^api/(?P<what>kernels)/[^/]+/[^/]+(?:/.*)?$", absent.nothing_of),
    re_path(rf"^api/(?P<what>{'|'.join(absent.NOT_HERE)})(?:/.*)?$", absent.not_here),
    re_path(r"^papers/(?P<paper>[^/]+)\.md$", absent.article),
    path(f"{SPACE}/resolve/{AT_PATH}", by_method(GET=files.resolve), OF_SPACE),
    path(f"{SPACE}/raw/{AT_PATH}", by_method(GET=files.raw), OF_SPACE),
]
