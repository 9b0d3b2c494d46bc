"""Every public method of HfApi and every command of hf: the document says what each does here, and is held to it."""

import inspect
import json
import re
from collections.abc import Iterator

import click
import pytest
from huggingface_hub import HfApi
from huggingface_hub.cli.hf import app

from tests.live import ROOT, LivePortal
from tests.wire.clients import Machine
from tests.wire.environments import environment

# What the client answers by itself, or asks of huggingface.co whatever HF_ENDPOINT says.
NEVER_ASKED = re.compile(r"inference_(endpoint|catalog)|list_dataset_parquet_files")
NO_RUNTIME, NO_BUCKETS, NO_JOBS = "does not run Spaces", "has no buckets", "has no jobs in containers"
SAID = {
    "kernel_info": "has no kernels",
    "search_spaces": "Search here is by words",
    "get_bucket_file_metadata": NO_BUCKETS,
    "batch_bucket_files": "404",
    "move_bucket": 'of type "model", "dataset" or "space"',
    "run_uv_job": NO_BUCKETS,
    "create_scheduled_uv_job": NO_BUCKETS,
    "sync_job_volume": NO_BUCKETS,
    "read_paper": "https://arxiv.org/abs/1706.03762",
    "update_collection_resource_group": "has no resource groups",
}


@pytest.fixture
def machine(live_portal: LivePortal, tmp_path):
    return Machine(live_portal, tmp_path, live_portal.user("alice"), environment=environment("hub-2.4"))


def section(title: str) -> str:
    document = (ROOT / "docs" / "CLIENTS.md").read_text(encoding="utf-8")
    return document.partition(f"### `{title}`\n")[2].partition("\n#")[0]


def told_calls() -> tuple[list[str], list[str]]:
    """Return the methods that the document says work, and those of what is not here."""
    tables = section("HfApi").partition("| not here |")
    works = re.findall(r"`(\w+)`", tables[0])
    rows = [line.split("|")[1] for line in tables[2].splitlines() if line.startswith("| `")]
    return works, re.findall(r"`(\w+)`", "".join(rows))


def commands(group: click.Group, name: str) -> Iterator[str]:
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}"


def test_every_method_of_the_client_is_in_the_document_once():
    public = [name for name, _method in inspect.getmembers(HfApi, inspect.isfunction) if not name.startswith("_")]
    works, absent = told_calls()
    assert sorted(works + absent) == sorted(public)


def test_every_command_is_in_the_document_once():
    rows = [line.split("|")[1:3] for line in section("hf").splitlines() if line.startswith("| `")]
    told = [f"{group.strip(' `')} {word}" for group, words in rows for word in re.findall(r"`([\w-]+)`", words)]
    assert sorted(told) == sorted(commands(app, "hf"))


@pytest.mark.live
def test_calls_that_no_other_test_makes(machine):
    machine.python(
        """
        import json, struct
        from huggingface_hub import CommitOperationAdd, HfApi
        api, repo, other = HfApi(), "alice/every-call", "alice/every-other"
        for name in (repo, other):
            api.create_repo(name)
        header = json.dumps({"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
        weights = struct.pack("<Q", len(header)) + header + bytes(16)
        index = {"metadata": {"total_size": 16}, "weight_map": {"w": "model.safetensors"}}
        card = b"---\\nlicense: mit\\ntags: [every-call]\\n---\\nAfter https://arxiv.org/abs/1706.03762\\n"
        operations = [
            CommitOperationAdd("README.md", card),
            CommitOperationAdd("model.safetensors", weights),
            CommitOperationAdd("model.safetensors.index.json", json.dumps(index).encode()),
        ]
        api.preupload_lfs_files(repo, operations)
        api.create_commit(repo, operations, commit_message="all")
        assert api.run_as_future(api.get_full_repo_name, "x").result() == "alice/x"
        assert {one.rfilename for one in api.repo_info(repo).siblings} > {"README.md", "model.safetensors"}
        assert api.get_safetensors_metadata(repo).parameter_count == {"F32": 4}
        assert api.get_sharded_safetensors_metadata(repo).parameter_count == {"F32": 4}
        assert api.parse_safetensors_file_metadata(repo, "model.safetensors").parameter_count == {"F32": 4}
        api.copy_files(f"hf://{repo}/model.safetensors", f"hf://{other}/copied.safetensors")
        api.snapshot_download(other)
        assert api.verify_repo_checksums(other).checked_count == 2
        assert "license" in api.get_model_tags()
        assert isinstance(api.get_dataset_tags(), dict)
        assert "1706.03762" in {one.id for one in api.list_papers(query="1706")}
        assert "1706.03762" in {one.id for one in api.list_daily_papers()}
        api.update_collection_resource_group(api.create_collection("Every").slug, None)
        """
    )


def said_of(name: str) -> str:
    """Return words of the answer to a call about something that is not here."""
    by_subject = [("job", NO_JOBS), ("bucket", NO_BUCKETS), ("space", NO_RUNTIME), ("zero_gpu", NO_RUNTIME)]
    return SAID.get(name) or next(words for subject, words in by_subject if subject in name)


@pytest.mark.live
def test_what_is_not_here_is_said_in_words(machine):
    said = json.loads(machine.python(ABSENT_CALLS))
    assert said.pop("list_space_templates") == "[]"
    _works, absent = told_calls()
    tried = {name for name in absent if not NEVER_ASKED.search(name)} - {"list_space_templates"}
    assert set(said) == tried
    assert {name: text for name, text in said.items() if said_of(name) not in text} == {}


ABSENT_CALLS = """
import json, warnings
from pathlib import Path
from huggingface_hub import HfApi, Volume
warnings.simplefilter("ignore")
api, space, bucket = HfApi(), "alice/every-space", "alice/stuff"
api.create_repo(space, repo_type="space", space_sdk="static")
collection = api.create_collection("Not here").slug
folder = Path("folder")
folder.mkdir()
script = folder / "x.py"
script.write_text("print(1)")
volume = Volume(type="model", source="alice/x", mount_path="/x")
job, planned = {"job_id": "a", "namespace": "alice"}, {"scheduled_job_id": "a", "namespace": "alice"}
run = {"image": "x", "command": ["y"]}
CALLS = {
    "add_space_secret": lambda: api.add_space_secret(space, "k", "v"),
    "add_space_variable": lambda: api.add_space_variable(space, "k", "v"),
    "set_space_sleep_time": lambda: api.set_space_sleep_time(space, 60),
    "set_space_volumes": lambda: api.set_space_volumes(space, [volume]),
    "delete_space_secret": lambda: api.delete_space_secret(space, "k"),
    "delete_space_variable": lambda: api.delete_space_variable(space, "k"),
    "request_space_hardware": lambda: api.request_space_hardware(space, "cpu-basic"),
    "search_spaces": lambda: list(api.search_spaces("x")),
    "kernel_info": lambda: api.kernel_info("alice/k"),
    "list_buckets": lambda: list(api.list_buckets()),
    "list_bucket_tree": lambda: list(api.list_bucket_tree(bucket)),
    "get_bucket_paths_info": lambda: list(api.get_bucket_paths_info(bucket, ["a"])),
    "get_bucket_file_metadata": lambda: api.get_bucket_file_metadata(bucket, "a"),
    "download_bucket_files": lambda: api.download_bucket_files(bucket, [("a", "b")]),
    "batch_bucket_files": lambda: api.batch_bucket_files(bucket, add=[(b"x", "a")]),
    "sync_bucket": lambda: api.sync_bucket(str(folder), "hf://buckets/" + bucket),
    "update_bucket_settings": lambda: api.update_bucket_settings(bucket, private=True),
    "move_bucket": lambda: api.move_bucket(bucket, "alice/other"),
    "run_job": lambda: api.run_job(**run),
    "run_uv_job": lambda: api.run_uv_job(str(script)),
    "create_scheduled_job": lambda: api.create_scheduled_job(**run, schedule="@daily"),
    "create_scheduled_uv_job": lambda: api.create_scheduled_uv_job(str(script), schedule="@daily"),
    "sync_job_volume": lambda: api.sync_job_volume(folder, "/x"),
    "list_jobs": lambda: list(api.list_jobs()),
    "wait_for_job": lambda: api.wait_for_job("a", timeout=2),
    "fetch_job_logs": lambda: list(api.fetch_job_logs(**job)),
    "fetch_job_metrics": lambda: list(api.fetch_job_metrics(**job)),
    "update_job_labels": lambda: api.update_job_labels(**job, labels={}),
    "update_job_expose": lambda: api.update_job_expose(**job, expose=[1]),
    "update_scheduled_job_labels": lambda: api.update_scheduled_job_labels(**planned, labels={}),
    "update_scheduled_job_schedule": lambda: api.update_scheduled_job_schedule(**planned, schedule="@daily"),
    "read_paper": lambda: api.read_paper("1706.03762"),
    "update_collection_resource_group": lambda: api.update_collection_resource_group(collection, "g"),
}
PLAIN = {
    (space,): "get_space_runtime pause_space restart_space wait_for_space delete_space_volumes get_space_secrets "
    "get_space_variables fetch_space_logs enable_space_dev_mode disable_space_dev_mode",
    (bucket,): "create_bucket bucket_info delete_bucket",
    (): "list_spaces_hardware get_zero_gpu_quota list_space_templates list_jobs_hardware list_scheduled_jobs",
}
for arguments, names in PLAIN.items():
    for name in names.split():
        call = getattr(api, name)
        if name == "fetch_space_logs":
            CALLS[name] = lambda call=call: list(call(space))
        else:
            CALLS[name] = lambda call=call, arguments=arguments: call(*arguments)
for name in ("inspect_job", "cancel_job", "rerun_job"):
    CALLS[name] = lambda call=getattr(api, name): call(**job)
for word in ("inspect", "delete", "suspend", "resume", "trigger"):
    name = word + "_scheduled_job"
    CALLS[name] = lambda call=getattr(api, name): call(**planned)
said = {}
for name, call in CALLS.items():
    try:
        said[name] = repr(call())
    except Exception as error:
        said[name] = str(error)
print(json.dumps(said))
"""
