"""Discussions and pull requests with the real huggingface_hub and `hf`, by an owner and a stranger."""

import pytest

from tests.forum import pictures
from tests.wire.clients import Machine

pytestmark = pytest.mark.live


@pytest.fixture
def owner(live_portal, tmp_path) -> Machine:
    return Machine(live_portal, tmp_path / "owner", live_portal.user("alice"))


@pytest.fixture
def stranger(live_portal, tmp_path) -> Machine:
    return Machine(live_portal, tmp_path / "stranger", live_portal.user("charlie"))


def test_a_discussion_is_opened_led_and_closed(owner):
    owner.python(
        """
        from huggingface_hub import HfApi
        api, repo = HfApi(), "alice/talked-about"
        api.create_repo(repo)
        opened = api.create_discussion(repo, "A question ", description="What is **this**?")
        assert (opened.num, opened.title, opened.status, opened.author) == (1, "A question", "open", "alice"), opened
        said = api.comment_discussion(repo, 1, comment="An answer")
        edited = api.edit_discussion_comment(repo, 1, said.id, new_content="A better answer")
        assert edited.edited and edited.content == "A better answer" and edited.number_of_edits == 1, edited
        assert edited.edit_history[0]["raw"] == "An answer"
        regretted = api.comment_discussion(repo, 1, comment="Nonsense")
        hidden = api.hide_discussion_comment(repo, 1, regretted.id)
        assert hidden.hidden and hidden.content == ""
        renamed = api.rename_discussion(repo, 1, new_title="A good question")
        assert (renamed.old_title, renamed.new_title) == ("A question", "A good question")
        closed = api.change_discussion_status(repo, 1, new_status="closed", comment="Solved")
        assert closed.new_status == "closed"
        told = api.get_discussion_details(repo, 1)
        assert told.status == "closed" and told.title == "A good question" and told.diff is None
        kinds = [event.type for event in told.events]
        assert kinds == ["comment", "comment", "comment", "title-change", "status-change", "comment"], kinds
        assert "<strong>this</strong>" in told.events[0].rendered and told.events[-1].content == "Solved"
        api.create_discussion(repo, "Another")
        listed = lambda **options: [one.num for one in api.get_repo_discussions(repo, **options)]
        assert listed() == [2, 1] and listed(discussion_status="open") == [2]
        assert listed(discussion_status="closed") == [1] and listed(discussion_type="pull_request") == []
        assert listed(author="alice") == [2, 1] and listed(author="charlie") == []
        """
    )


def test_a_draft_grows_is_reviewed_and_merged(owner):
    owner.python(
        """
        from huggingface_hub import HfApi, hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError
        api, repo = HfApi(), "alice/merged-into"
        api.create_repo(repo, repo_type="dataset")
        options = dict(repo_id=repo, repo_type="dataset")
        api.upload_file(path_or_fileobj=b"one\\n", path_in_repo="a.txt", **options)
        draft = api.create_pull_request(title="More", **options)
        assert draft.status == "draft" and draft.git_reference == "refs/pr/1", draft
        api.upload_file(path_or_fileobj=b"two\\n", path_in_repo="a.txt", revision="refs/pr/1", **options)
        api.upload_file(path_or_fileobj=b"w" * 5000, path_in_repo="w.bin", revision="refs/pr/1", **options)
        told = api.get_discussion_details(discussion_num=1, **options)
        assert told.target_branch == "refs/heads/main" and told.conflicting_files == []
        assert told.merge_commit_oid is None
        assert "-one\\n+two\\n" in told.diff and "diff --git a/w.bin b/w.bin" in told.diff, told.diff
        commits = [event.summary for event in told.events if event.type == "commit"]
        assert commits == ["Upload a.txt with huggingface_hub", "Upload w.bin with huggingface_hub"], commits
        local = hf_hub_download(filename="a.txt", revision="refs/pr/1", **options)
        assert open(local).read() == "two\\n"
        refs = api.list_repo_refs(include_pull_requests=True, **options).pull_requests
        assert [ref.ref for ref in refs] == ["refs/pr/1"]
        try:
            api.merge_pull_request(discussion_num=1, **options)
            raise AssertionError("a draft was merged")
        except HfHubHTTPError as error:
            assert error.response.status_code == 409 and "draft" in str(error), error
        api.change_discussion_status(discussion_num=1, new_status="open", **options)
        api.merge_pull_request(discussion_num=1, comment="Good", **options)
        told = api.get_discussion_details(discussion_num=1, **options)
        assert told.status == "merged" and told.merge_commit_oid == api.dataset_info(repo).sha
        assert [event.type for event in told.events][-2:] == ["status-change", "comment"]
        assert "-one\\n+two\\n" in told.diff
        assert api.file_exists(filename="w.bin", **options)
        """
    )


def test_a_stranger_proposes_by_upload_and_the_owner_decides(owner, stranger):
    owner.python(
        """
        from huggingface_hub import HfApi
        api = HfApi()
        api.create_repo("alice/open-to-all")
        api.upload_file(path_or_fileobj=b"mine\\n", path_in_repo="a.txt", repo_id="alice/open-to-all")
        api.create_repo("alice/closed-to-all", private=True)
        """
    )
    stranger.python(
        """
        import os, pathlib
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError
        api, repo = HfApi(), "alice/open-to-all"
        made = api.upload_file(path_or_fileobj=b"yours\\n", path_in_repo="a.txt", repo_id=repo, create_pr=True,
                               commit_message="Mine is better")
        assert made.pr_num == 1 and made.pr_revision == "refs/pr/1"
        assert made.pr_url.endswith("/alice/open-to-all/discussions/1")
        assert api.get_discussion_details(repo, 1).title == "Mine is better"
        folder = pathlib.Path("folder"); folder.mkdir()
        (folder / "w.bin").write_bytes(os.urandom(300_000)); (folder / "b.txt").write_text("b")
        more = api.upload_folder(repo_id=repo, folder_path=folder, create_pr=True)
        assert more.pr_num == 2
        (folder / "c.bin").write_bytes(os.urandom(200_000))
        api.upload_folder(repo_id=repo, folder_path=folder, revision="refs/pr/2")
        assert {"b.txt", "c.bin", "w.bin"} <= set(api.list_repo_files(repo, revision="refs/pr/2"))
        assert api.list_repo_files(repo) == [".gitattributes", "a.txt"]
        for refused, kind in ((dict(), HfHubHTTPError), (dict(revision="refs/pr/9"), RevisionNotFoundError),
                              (dict(create_pr=True, revision="nowhere"), RevisionNotFoundError)):
            try:
                api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo, **refused)
                raise AssertionError(refused)
            except kind:
                pass
        for name in ("alice/closed-to-all", "alice/there-is-none"):
            try:
                api.create_discussion(name, "Let me in")
                raise AssertionError(name)
            except RepositoryNotFoundError:
                pass
        """
    )
    owner.python(
        """
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError
        api, repo = HfApi(), "alice/open-to-all"
        api.upload_file(path_or_fileobj=b"mine again\\n", path_in_repo="a.txt", repo_id=repo)
        assert api.get_discussion_details(repo, 1).conflicting_files == ["a.txt"]
        try:
            api.merge_pull_request(repo, 1)
            raise AssertionError("a conflict was merged")
        except HfHubHTTPError as error:
            assert error.response.status_code == 409 and "a.txt" in str(error), error
        assert api.get_discussion_details(repo, 2).status == "draft"  # upload_folder opens it before it commits
        api.change_discussion_status(repo, 2, new_status="open")
        api.merge_pull_request(repo, 2)
        assert {"a.txt", "b.txt", "c.bin", "w.bin"} <= set(api.list_repo_files(repo))
        api.change_discussion_status(repo, 1, new_status="closed")
        """
    )


def test_the_command_line_leads_discussions(owner):
    repo = "alice/led-by-hf"
    owner.hf("repos", "create", repo)
    owner.hf("discussions", "create", repo, "--title", "From the shell", "--body", "Hello")
    owner.hf("discussions", "comment", repo, "1", "--body", "More")
    owner.hf("discussions", "create", repo, "--title", "A change", "--pull-request")
    listed = owner.hf("discussions", "list", repo)
    assert "From the shell" in listed
    assert "A change" in listed
    assert "From the shell" in owner.hf("discussions", "info", repo, "1")
    owner.hf("discussions", "rename", repo, "1", "From a terminal")
    owner.hf("discussions", "close", repo, "1", "--yes")
    owner.hf("discussions", "reopen", repo, "1", "--yes")
    owner.hf("discussions", "diff", repo, "2")


def test_a_picture_is_attached_and_shown(owner):
    (owner.home).mkdir(parents=True, exist_ok=True)
    (owner.home / "shot.gif").write_bytes(pictures.telling()["gif"])
    (owner.home / "talk.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    owner.python(
        """
        from huggingface_hub import HfApi
        from huggingface_hub.errors import BadRequestError
        from huggingface_hub.utils import get_session
        api, repo = HfApi(), "alice/pictured"
        api.create_repo(repo, private=True)
        url = api.upload_attachment("shot.gif")
        assert url.startswith(api.endpoint + "/uploads/") and url.endswith(".gif"), url
        topic = api.create_discussion(repo, "Look", description=f"![shot]({url})")
        shown = api.get_discussion_details(repo, topic.num).events[0].rendered
        assert f'src="{url.removeprefix(api.endpoint)}"' in shown, shown
        answer = get_session().get(url)
        assert answer.headers["Content-Type"] == "image/gif" and b"52.5N" not in answer.content
        try:
            api.upload_attachment("talk.mp4")
        except BadRequestError as error:
            assert "PNG, JPEG, GIF or WebP" in str(error), error
        else:
            raise AssertionError("A film was taken in.")
        """
    )
