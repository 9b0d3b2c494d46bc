"""Runs through the API and the pages: who sees what, and what people can do."""

import json
import struct
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from models_hub import browsing, publishing
from models_hub.adapting import curves, ending, explaining, following, sources
from models_hub.models import Repo, Run
from models_hub.publishing import PutFile
from portal.errors import InvalidInput
from portal.models import Job, User
from tests.evaluating import adapter_files, model_files
from tests.tuning import ask, make_base, make_data, rows, wish

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]
ADDRESS = "/runs/new?task=text-classification&base=alice/bert&dataset=alice/moods"


@pytest.fixture(autouse=True)
def repos(make_repo: MakeRepo, alice: User) -> tuple[Repo, Repo]:
    return make_base(make_repo, alice), make_data(make_repo, alice)


def post(client: Any, path: str, body: dict[str, Any] | None = None) -> Any:
    return client.post(path, json.dumps(body or {}), content_type="application/json")


def filled(form: Any) -> dict[str, Any]:
    """What a browser sends of a form that nobody changed."""
    initial = {name: field.initial for name, field in form.fields.items()}
    return {name: value for name, value in initial.items() if value is not None and value is not False}


def test_who_names_no_data_set_is_told_so(alice: User, as_user: Any) -> None:
    begun = as_user(alice).get("/runs/new?task=text-classification&base=alice/bert").text
    sent = as_user(alice).get("/runs/new?task=text-classification&base=alice/bert&dataset=").text
    assert "This field is required." not in begun
    assert "This field is required." in sent


def test_a_model_that_says_what_it_does_is_not_asked_again(alice: User, as_user: Any, repos: tuple[Repo, Repo]) -> None:
    Repo.objects.filter(name="bert").update(task="text-classification")
    page = as_user(alice).get("/runs/conversions/new?base=alice/bert&choose=1")
    assert page.context["form"]["task"].value() == "text-classification"
    address = "/runs/conversions/new?base=alice/bert&dataset=alice/moods&task=text-classification"
    sent = filled(as_user(alice).get(address).context["form"]) | {"what": "layers"}
    refused = as_user(alice).post(address, sent)
    assert "keep_layers" in refused.context["form"].errors, "what is wrong stands at its field"
    files = model_files()
    config = json.dumps(json.loads(files["config.json"]) | {"num_hidden_layers": 2})
    publishing.commit(
        repo=repos[0], by=alice, changes=[PutFile("config.json", config.encode())], title="Say how many layers"
    )
    refused = as_user(alice).post(address, sent | {"keep_layers": "2"})
    assert "the model has 2" in refused.context["form"].errors["keep_layers"][0]


@pytest.mark.parametrize(
    ("address", "names"),
    [(ADDRESS, ("task", "base", "dataset")), ("/runs/conversions/new?base=alice/bert", ("base",))],
)
def test_the_way_back_from_a_form_loses_nothing(
    alice: User, as_user: Any, address: str, names: tuple[str, ...]
) -> None:
    there = as_user(alice).get(address)
    path = address.partition("?")[0]
    back = as_user(alice).get(f"{path}?{there.context['again']}")
    assert there.templates[0].name != back.templates[0].name
    assert [back.context["form"][name].value() for name in names] == [
        dict(field.split("=") for field in address.partition("?")[2].split("&"))[name] for name in names
    ]


def test_a_run_is_asked_for_and_read_through_the_api(alice: User, as_user: Any) -> None:
    sent = {("dataset" if key == "data" else key): value for key, value in wish(recipe={"lr": 0.001}).items()}
    made = post(as_user(alice), "/api/v1/runs", sent)
    assert made.status_code == 201, made.content
    run = as_user(alice).get(f"/api/v1/runs/{made.json()['id']}").json()
    assert (run["base"], run["dataset"], run["state"], run["recipe"]["lr"]) == (
        "alice/bert",
        "alice/moods",
        "queued",
        0.001,
    )
    assert run["wish"]["recipe"] == run["recipe"]
    assert as_user(alice).get("/api/v1/runs").json()["results"][0]["id"] == run["id"]
    again = post(as_user(alice), "/api/v1/runs", run["wish"])
    assert again.status_code == 201, again.content


def test_the_api_says_what_is_wrong(alice: User, as_user: Any) -> None:
    sent = {("dataset" if key == "data" else key): value for key, value in wish(recipe={"lr": 5}).items()}
    refused = post(as_user(alice), "/api/v1/runs", sent)
    assert refused.status_code == 400
    assert "lr" in refused.json()["error"]
    misplaced = post(as_user(alice), "/api/v1/studies", {"wish": {**sent, "recipe": {}}, "trials": 3})
    assert (misplaced.status_code, list(misplaced.json()["fields"])) == (400, ["trials"])


@pytest.mark.parametrize(
    "path", ["/runs/{}", "/runs/{}/log.csv", "/runs/{}/events", "/api/v1/runs/{}", "/api/v1/runs/{}/points"]
)
def test_a_run_is_its_owners_affair(alice: User, bob: User, as_user: Any, path: str) -> None:
    run = ask(alice)
    assert as_user(alice).get(path.format(run.pk)).status_code == 200
    assert as_user(bob).get(path.format(run.pk)).status_code == 404
    assert as_user(None).get(path.format(run.pk)).status_code in (404, 401)


def test_whoever_sees_the_result_sees_how_it_was_made_but_no_private_names(
    make_repo: MakeRepo, alice: User, bob: User, as_user: Any, repos: tuple[Repo, Repo]
) -> None:
    run = ask(alice, title="A private title is not here")
    result = make_repo(alice, "tuned")
    Run.objects.filter(pk=run.pk).update(result=result, result_commit=result.head, finished_at=timezone.now())
    Repo.objects.filter(pk=repos[1].pk).update(private=True)
    shown = as_user(bob).get(f"/api/v1/runs/{run.pk}").json()
    assert (shown["base"], shown["dataset"], shown["result"]) == ("alice/bert", None, "alice/tuned")
    assert shown["wish"] is None
    assert shown["job"] is None
    page = as_user(bob).get(f"/runs/{run.pk}").text
    assert "moods" not in page
    assert "a data set that you cannot see" in page


def test_who_was_not_let_in_to_the_data_reads_no_report_of_it(
    make_repo: MakeRepo, alice: User, bob: User, as_user: Any, repos: tuple[Repo, Repo]
) -> None:
    run, result = ask(alice), make_repo(alice, "tuned")
    report = {"findings": [{"code": "unreadable", "count": 1, "example": "a row of it"}], "labels": {}}
    found = {"result": result, "result_commit": result.head, "finished_at": timezone.now(), "data_report": report}
    Run.objects.filter(pk=run.pk).update(**found)
    assert "a row of it" in as_user(bob).get(f"/runs/{run.pk}").text
    Repo.objects.filter(pk=repos[1].pk).update(gated="manual")
    assert "a row of it" not in as_user(bob).get(f"/runs/{run.pk}").text
    assert as_user(bob).get(f"/api/v1/runs/{run.pk}").json()["data_report"] == {}
    assert "a row of it" in as_user(alice).get(f"/runs/{run.pk}").text


def test_a_run_whose_data_were_refused_shows_no_empty_curve_and_offers_another_one(alice: User, as_user: Any) -> None:
    run = ask(alice)
    assert 'id="curves"' in as_user(alice).get(f"/runs/{run.pk}").text
    Job.objects.filter(pk=run.job_id).update(state="failed", finished_at=timezone.now(), reason_code="data_refused")
    page = as_user(alice).get(f"/runs/{run.pk}")
    assert 'id="curves"' not in page.text
    assert f'btn-primary" href="/runs/new?like={run.pk}"' in page.text


def test_the_curve_is_asked_for_by_number(alice: User, as_user: Any) -> None:
    run = ask(alice)
    following.keep(run, [{"seq": n, "kind": "step", "step": n, "steps": 9, "loss": 1 / (n + 1)} for n in range(5)])
    found = as_user(alice).get(f"/api/v1/runs/{run.pk}/points?after=2").json()
    assert [point["seq"] for point in found["points"]] == [3, 4]
    assert found["is_over"] is False


def test_what_a_child_writes_is_kept_only_in_its_form(alice: User) -> None:
    run = ask(alice)
    wild = [
        {"seq": 0, "kind": "step", "step": 1, "loss": float("inf"), "evil": "<script>", "lr": 0.1},
        {"seq": "1", "kind": "step"},
        {"seq": 2, "kind": "spell", "text": "x"},
        {"seq": 3, "kind": "note", "text": "a\x00b" + "c" * 900},
        {"seq": 4, "kind": "dev", "metrics": {"f1": 0.5, "bad": "text", "=1+1": 0.1}, "best": "yes"},
    ]
    assert following.keep(run, wild) == 3
    found = following.after(run, 0)
    assert found[0] == {"seq": 0, "kind": "step", "step": 1, "lr": 0.1}
    assert found[1]["text"] == "ab" + "c" * 497
    assert found[2] == {"seq": 4, "kind": "dev", "metrics": {"f1": 0.5}, "best": False}


def test_a_curve_that_comes_again_replaces_what_was_there(alice: User) -> None:
    run = ask(alice)
    following.keep(run, [{"seq": n, "kind": "step", "step": n, "loss": 1.0} for n in range(4)])
    following.forget_after(run, 2)
    following.keep(run, [{"seq": n, "kind": "step", "step": n, "loss": 2.0} for n in range(1, 3)])
    assert [point["loss"] for point in following.after(run, 0)] == [1.0, 2.0, 2.0]


def test_pages_of_runs_have_a_constant_number_of_queries(
    alice: User, as_user: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        ask(alice, title=f"Run {number}")
    client = as_user(alice)
    client.get("/runs")
    with django_assert_max_num_queries(8):
        few = client.get("/runs")
    for number in range(8):
        ask(alice, title=f"Another {number}")
    with django_assert_max_num_queries(8):
        many = client.get("/runs")
    assert many.text.count("run-row-title") == few.text.count("run-row-title") + 8


def test_the_form_leads_from_model_and_data_to_a_run(alice: User, as_user: Any) -> None:
    client = as_user(alice)
    address = "/runs/new?task=text-classification&base=alice/bert&dataset=alice/moods"
    page = client.get(address)
    assert page.status_code == 200
    assert "train.jsonl" in page.text
    assert 'name="option_lr"' in page.text
    assert "LoRA" in page.text
    form = page.context["form"]
    sent = filled(form)
    made = client.post(address, {**sent, "option_lr": "0.0003", "method": "lora", "lora.rank": "4"})
    assert made.status_code == 302, made.context["form"].errors
    run = Run.objects.get()
    assert run.recipe["lr"] == 0.0003
    assert run.recipe["method_options"]["rank"] == 4
    assert (run.target, run.fields) == ("alice/bert-tuned", {"input": "text", "target": "label"})


def test_a_form_that_is_sent_twice_asks_for_one_run(alice: User, as_user: Any) -> None:
    client = as_user(alice)
    sent = filled(client.get(ADDRESS).context["form"]) | {"method": "full"}
    first, second = client.post(ADDRESS, sent), client.post(ADDRESS, sent)
    assert first["Location"] == second["Location"]
    assert client.post(ADDRESS, {**sent, "seed": "1"})["Location"] != first["Location"]
    assert Run.objects.count() == 2


def test_another_run_like_one_that_was_begins_with_all_that_it_was_asked_for(alice: User, as_user: Any) -> None:
    run = ask(
        alice, labels=["negative", "positive"], recipe={"lr": 0.002, "method": "lora", "method_options": {"rank": 4}}
    )
    address = f"/runs/new?like={run.pk}"
    form = as_user(alice).get(address).context["form"]
    made = as_user(alice).post(address, filled(form))
    assert made.status_code == 302, made.context["form"].errors
    other = Run.objects.exclude(pk=run.pk).get()
    assert other.settings == run.settings
    assert other.recipe["lr"] == 0.002
    assert (other.recipe["method"], other.recipe["method_options"]["rank"]) == ("lora", 4)


def test_the_form_offers_a_lexicon_where_the_data_set_may_hold_one(
    alice: User, as_user: Any, make_repo: MakeRepo
) -> None:
    files = {"train.jsonl": rows(), "synonyms.json": '{"good": ["fine"]}'}
    make_repo(alice, "worded", kind="dataset", files=files)
    client = as_user(alice)
    assert "file_lexicon" not in client.get(ADDRESS).context["form"].fields
    address = ADDRESS.replace("moods", "worded")
    sent = filled(client.get(address).context["form"])
    wanted = {"file_lexicon": "synonyms.json", "option_augment_synonyms": "0.2", "method": "full"}
    made = client.post(address, {**sent, **wanted})
    assert made.status_code == 302, made.context["form"].errors
    run = Run.objects.get()
    assert run.files == {"train": "train.jsonl", "lexicon": "synonyms.json"}
    assert run.recipe["augment_synonyms"] == 0.2


def test_a_form_with_a_bad_value_says_which(alice: User, as_user: Any) -> None:
    client = as_user(alice)
    address = "/runs/new?task=text-classification&base=alice/bert&dataset=alice/moods"
    form = client.get(address).context["form"]
    sent = filled(form)
    refused = client.post(address, {**sent, "option_lr": "7"})
    assert refused.status_code == 400
    assert "option_lr" in refused.context["form"].errors
    assert not Run.objects.exists()


def test_a_table_becomes_a_private_data_set(alice: User, as_user: Any) -> None:
    file = SimpleUploadedFile("mine.csv", b"text,label\nhello,good\n")
    sent = {"task": "text-classification", "base": "alice/bert", "upload-name": "mine", "upload-file": file}
    answer = as_user(alice).post("/runs/new/table", sent)
    assert answer.status_code == 302
    repo = Repo.objects.get(kind="dataset", name="mine")
    assert repo.private
    page = as_user(alice).get(answer["Location"])
    assert "train.csv" in page.text
    assert page.context["source"].columns == ["text", "label"]


def test_runs_are_compared_side_by_side(alice: User, bob: User, as_user: Any) -> None:
    first, second = ask(alice, recipe={"lr": 0.001}), ask(alice, recipe={"lr": 0.0001, "method": "lora"})
    page = as_user(alice).get(f"/runs/compare?run={first.pk}&run={second.pk}")
    assert page.status_code == 200
    assert ("lr", [0.001, 0.0001]) in page.context["differences"]
    assert ("method", ["The whole model", "LoRA"]) in page.context["differences"]
    assert as_user(bob).get(f"/runs/compare?run={first.pk}").status_code == 404
    third = ask(alice, recipe={"lr": 0.001, "epochs": 5})
    page = as_user(alice).get(f"/runs/compare?run={first.pk}&run={third.pk}")
    assert page.context["differences"] == [("epochs", [3.0, 5.0])], "what is not named is what is usual"


def test_a_file_for_tensorboard_has_records_with_right_checksums(alice: User, as_user: Any) -> None:
    run = ask(alice)
    following.keep(run, [{"seq": 0, "kind": "step", "step": 300, "loss": 0.5, "lr": 0.1}])
    content = as_user(alice).get(f"/runs/{run.pk}/events").content
    length = struct.unpack("<Q", content[:8])[0]
    assert b"brain.Event:2" in content[12 : 12 + length]
    assert b"train/loss" in content[12 + length :]
    # The known checksum of CRC-32C: RFC 3720, B.4, 32 bytes of zeros.
    masked = struct.unpack("<I", curves._checksum(bytes(32)))[0]
    crc = (masked - 0xA282EAD8) & 0xFFFFFFFF
    assert ((crc >> 17) | (crc << 15)) & 0xFFFFFFFF == 0x8A9136AA


def test_publishing_warns_of_the_private_names_in_the_card(
    make_repo: MakeRepo, alice: User, bob: User, as_user: Any, repos: tuple[Repo, Repo]
) -> None:
    run = ask(alice)
    result = make_repo(alice, "tuned", private=True)
    Run.objects.filter(pk=run.pk).update(result=result, result_commit=result.head, finished_at=timezone.now())
    warning = "Its card, its recipe and its history name what others cannot see"
    assert warning not in as_user(alice).get(f"/runs/{run.pk}").text
    Repo.objects.filter(pk=repos[1].pk).update(private=True)
    page = as_user(alice).get(f"/runs/{run.pk}").text
    assert f"{warning}: alice/moods." in page
    assert "Publish without these names" in page
    assert f"{warning}: alice/moods." in as_user(alice).get(f"{result.path}/settings").text
    assert ending.told_by_showing(result, bob) == ["others that you cannot see"]
    Repo.objects.filter(pk=result.pk).update(private=False)
    assert warning not in as_user(bob).get(f"/runs/{run.pk}").text


def test_a_text_is_cut_into_words_as_tagged_sets_are() -> None:
    assert explaining.words_of("Ann Lee-Smith's in Rome.") == ["Ann", "Lee-Smith's", "in", "Rome", "."]
    assert explaining.words_of("李开复 uses AI!") == ["李", "开", "复", "uses", "AI", "!"]
    with pytest.raises(InvalidInput):
        explaining.words_of("two words", 2)


def test_a_tag_is_asked_about_by_the_number_of_its_word(make_repo: MakeRepo, alice: User, as_user: Any) -> None:
    files = model_files()
    config = json.loads(files["config.json"]) | {"architectures": ["BertForTokenClassification"]}
    make_repo(alice, "tagger", files={**files, "config.json": json.dumps(config)})
    sent = {"tokens": "Ann lives in Rome", "method": "occlusion", "word": "4"}
    asked = as_user(alice).post("/alice/tagger/explanation", sent)
    assert asked.status_code == 302, asked.text
    job = Job.objects.get(kind="explain")
    assert (job.spec["question"], job.spec["word"]) == ({"tokens": ["Ann", "lives", "in", "Rome"]}, 3)
    tags = [{"number": n, "label": "B-LOC" if n == 3 else "O", "probability": 0.9} for n in (0, 1, 2, 3, 9)]
    found = {
        "answer": {"label": "B-LOC", "probability": 0.9},
        "tags": [*tags, "wild"],
        "word": 3,
        "method": "occlusion",
    }
    Job.objects.filter(pk=job.pk).update(state="succeeded", result=found)
    page = as_user(alice).get(asked.url).text
    assert "B-LOC" in page
    assert "tokens=Ann%20lives%20in%20Rome&amp;word=1" in page
    assert '/explanation?tokens=Ann+lives+in+Rome"' in page, "the next question begins with this one"


@pytest.mark.parametrize("named", [5, True, {"a": 1}])
def test_a_config_that_names_its_classes_in_no_list_is_refused_in_words(
    make_repo: MakeRepo, alice: User, as_user: Any, named: object
) -> None:
    files = model_files()
    config = json.loads(files["config.json"]) | {"architectures": named}
    make_repo(alice, "odd", files={**files, "config.json": json.dumps(config)})
    page = as_user(alice).get("/alice/odd/explanation")
    assert (page.status_code, "Answers are explained of models" in page.text) == (200, True)


def test_an_adapter_is_explained_on_the_base_that_its_asker_may_read(
    make_repo: MakeRepo, alice: User, bob: User, as_user: Any
) -> None:
    base = make_repo(bob, "bert", files=model_files(), private=True)
    adapter = make_repo(alice, "tuned", files=adapter_files("bob/bert"))
    sent = {"text": "a good thing", "method": "occlusion"}
    refused = as_user(alice).post("/alice/tuned/explanation", sent)
    assert "bob/bert, is not here for you to read" in refused.text
    Repo.objects.filter(pk=base.pk).update(private=False)
    asked = as_user(alice).post("/alice/tuned/explanation", sent)
    assert asked.status_code == 302, asked.text
    spec = Job.objects.get(kind="explain").spec
    assert spec["reads"] == [adapter.pk, base.pk]
    assert (spec["commit"], spec["base"], spec["base_commit"]) == (adapter.head, base.pk, base.head)


def test_conversations_are_learned_from_through_the_form(make_repo: MakeRepo, alice: User, as_user: Any) -> None:
    turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good day."}]
    make_repo(alice, "talks", kind="dataset", files={"train.jsonl": json.dumps({"messages": turns}) + "\n"})
    address = "/runs/new?task=text-generation&base=&dataset=alice/talks"
    form = as_user(alice).get(address).context["form"]
    sent = filled(form) | {"target": "alice/talker", "size_model_type": "gpt2", "size_tokenizer": "bpe"}
    assert (sent["column_input"], sent["column_target"]) == ("messages", "")
    answer = as_user(alice).post(address, sent)
    assert answer.status_code == 302, answer.context["form"].errors
    assert Run.objects.get().fields == {"input": "messages"}


def test_a_data_set_without_a_training_file_still_shows_columns(make_repo: MakeRepo, alice: User) -> None:
    line = json.dumps({"text": "a", "label": "b"}) + "\n"
    data = make_repo(alice, "tested", kind="dataset", files={"test.jsonl": line, "more/dev.jsonl": line})
    found = sources.look(data, browsing.resolve_revision(data, "main"))
    assert (found.guessed, found.columns) == (
        {"train": "more/dev.jsonl", "test": "test.jsonl"},
        ["text", "label"],
    )
