"""The catalogue's pages, and the step from published files to a registered benchmark."""

import io
import json
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from leaderboard import catalogue_reading, catalogue_texts, cataloguing, definitions
from leaderboard.catalogue.entries import entries
from leaderboard.definition_values import DefinitionRefused
from leaderboard.models import Benchmark
from models_hub import browsing
from models_hub.models import Repo
from worker.engine import tasks
from worker.engine.rows import read_examples

BANKING = "text,category\nWhere is my card?,card_arrival\nMy card is lost,lost_or_stolen_card\n"
AFQMC = json.dumps({"sentence1": "花呗可以吗", "sentence2": "花呗能用吗", "label": "1"}, ensure_ascii=False)


def post(client, name: str, content: bytes | str, file: str, **fields):
    raw = content.encode() if isinstance(content, str) else content
    data = {"namespace": "alice", "name": "made", "private": "public", "files": SimpleUploadedFile(file, raw)}
    return client.post(f"/benchmarks/catalogue/{name}", data | fields)


def content_of(repo: Repo, path: str) -> str:
    commit = browsing.resolve_revision(repo, "main")
    return browsing.read(repo, browsing.find(repo, commit, path), 100_000).decode()


def test_sets_are_found_by_words_task_and_language(client, db):
    page = client.get("/benchmarks/catalogue").text
    assert all(f"/benchmarks/catalogue/{name}" in page for name in entries())
    page = client.get("/benchmarks/catalogue?q=clue&task=text-pair-classification&language=zh").text
    assert "/benchmarks/catalogue/clue-afqmc" in page
    assert "/benchmarks/catalogue/glue-rte" not in page
    assert "/benchmarks/catalogue/clue-tnews" not in page
    assert "No set fits this search" in client.get("/benchmarks/catalogue?q=zyzzyva").text


def test_chinese_readers_find_and_read_chinese_words(client, db):
    page = client.get("/benchmarks/catalogue?q=语义相似度", headers={"accept-language": "zh-hans"}).text
    assert "AFQMC 蚂蚁金融语义相似度" in page


def test_a_set_says_what_it_is_and_strangers_are_asked_to_sign_in(client, db):
    page = client.get("/benchmarks/catalogue/banking77").text
    for piece in ("Banking77", "cc-by-4.0", "Casanueva", "banking_data/test.csv", "card_arrival", "and 17 more"):
        assert piece in page
    assert "/accounts/login/?next=/benchmarks/catalogue/banking77" in page
    assert 'type="file"' not in page


def test_an_unknown_set_is_not_found(client, db):
    assert client.get("/benchmarks/catalogue/unheard-of").status_code == 404


def test_strangers_make_nothing(client, db):
    response = post(client, "banking77", BANKING, "test.csv")
    assert response.status_code == 302
    assert "/accounts/login/" in response["Location"]
    assert not Benchmark.objects.exists()


def test_published_files_become_a_registered_benchmark(client, alice):
    client.force_login(alice)
    response = post(client, "banking77", BANKING, "test.csv")
    benchmark = Benchmark.objects.get()
    assert response["Location"] == benchmark.get_absolute_url()
    assert (benchmark.name, benchmark.task, benchmark.primary_metric) == (
        "Banking77",
        "text-classification",
        "accuracy",
    )
    assert benchmark.dataset.full_name == "alice/made"
    assert not benchmark.dataset.private
    rows = [json.loads(line) for line in content_of(benchmark.dataset, "test.jsonl").splitlines()]
    assert rows[0] == {"id": "000000", "text": "Where is my card?", "label": "card_arrival"}
    card = content_of(benchmark.dataset, "README.md")
    for piece in ("license: cc-by-4.0", "Casanueva", "`test.csv`: 2 rows"):
        assert piece in card


def test_an_archive_becomes_a_benchmark_of_pairs(client, alice):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("afqmc_public/dev.json", AFQMC)
    client.force_login(alice)
    post(client, "clue-afqmc", packed.getvalue(), "afqmc_public.zip", private="private")
    benchmark = Benchmark.objects.get()
    assert benchmark.task == "text-pair-classification"
    assert benchmark.fields == {"input": "text1", "input2": "text2", "target": "label"}
    assert benchmark.dataset.private


def test_examples_are_shown_in_prompts(client, alice):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("data/test/anatomy_test.csv", "Which?,a,b,c,d,D\n")
        archive.writestr("data/dev/anatomy_dev.csv", "What?,a,b,c,d,A\nWho?,a,b,c,d,B\n")
    client.force_login(alice)
    assert "dev/*_dev.csv" in client.get("/benchmarks/catalogue/mmlu").text
    post(client, "mmlu", content.getvalue(), "data.zip")
    benchmark = Benchmark.objects.get()
    assert benchmark.files["train"]["path"] == "train.jsonl"
    assert benchmark.settings["few_shot"] == 2
    assert content_of(benchmark.dataset, "train.jsonl").count("\n") == 2


def packed(**contents: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        for name, content in contents.items():
            target.writestr(f"arguana/{name.replace('__', '/')}", content)
    return archive.getvalue()


SEARCH = {
    "queries.jsonl": '{"_id": "a", "text": "Cats?"}\n',
    "corpus.jsonl": '{"_id": "a", "title": "", "text": "Cats?"}\n{"_id": "b", "title": "On cats", "text": "No."}\n',
    "qrels__test.tsv": "query-id\tcorpus-id\tscore\na\tb\t1\n",
}


def test_a_set_to_be_searched_brings_its_documents(client, alice):
    client.force_login(alice)
    response = post(client, "beir-arguana", packed(**SEARCH), "arguana.zip")
    benchmark = Benchmark.objects.get()
    assert response["Location"] == benchmark.get_absolute_url()
    assert (benchmark.task, benchmark.files["corpus"]["path"]) == ("text-retrieval", "corpus.jsonl")
    assert json.loads(content_of(benchmark.dataset, "test.jsonl"))["relevant"] == {"b": 1.0}
    assert content_of(benchmark.dataset, "corpus.jsonl").count("\n") == 2
    lacking = {name: content for name, content in SEARCH.items() if name != "corpus.jsonl"}
    response = post(client, "beir-arguana", packed(**lacking), "arguana.zip")
    assert "None of the files is one that this set is published under: corpus.jsonl" in response.text
    assert Repo.objects.count() == 1


def test_its_documents_come_from_a_data_set_too(client, alice, make_repo):
    files = {name.replace("__", "/"): content for name, content in SEARCH.items()}
    make_repo(alice, "mirror", kind="dataset", files=files)
    client.force_login(alice)
    post(client, "beir-arguana", "", "none.txt", files="", dataset="alice/mirror")
    assert Benchmark.objects.get().files["corpus"]["size"] > 10


def test_a_data_set_that_is_here_will_do(client, alice, make_repo):
    make_repo(alice, "mirror", kind="dataset", files={"banking_data/test.csv": BANKING, "banking_data/train.csv": "x"})
    client.force_login(alice)
    post(client, "banking77", "", "none.txt", files="", dataset="alice/mirror")
    assert content_of(Benchmark.objects.get().dataset, "test.jsonl").count("\n") == 2


def test_a_private_data_set_does_not_become_a_public_one(client, alice, make_repo):
    make_repo(alice, "secret", kind="dataset", private=True, files={"test.csv": BANKING})
    client.force_login(alice)
    response = post(client, "banking77", "", "none.txt", files="", dataset="alice/secret")
    assert response.status_code == 400
    assert "must be private" in response.text
    assert not Benchmark.objects.exists()


def test_the_private_data_set_of_another_is_as_good_as_none(client, alice, charlie, make_repo):
    make_repo(alice, "secret", kind="dataset", private=True, files={"test.csv": BANKING})
    client.force_login(charlie)
    response = post(client, "banking77", "", "none.txt", files="", namespace="charlie", dataset="alice/secret")
    assert "There is no data set “alice/secret” here." in response.text


@pytest.mark.parametrize(
    ("content", "file", "words"),
    [
        ("text,category\nhello,unheard_of\n", "test.csv", "test.csv, line 2: “unheard_of” is unknown"),
        ("PK nothing", "data.zip", "data.zip: It cannot be unpacked"),
        ("hello", "readme.md", "None of the files is one that this set is published under: banking_data/test.csv"),
    ],
)
def test_a_wrong_file_is_told_and_leaves_nothing(client, alice, content, file, words):
    client.force_login(alice)
    response = post(client, "banking77", content, file)
    assert response.status_code == 400
    assert words in response.text
    assert not Repo.objects.exists()


def test_files_or_a_data_set_and_not_both(client, alice):
    client.force_login(alice)
    response = post(client, "banking77", BANKING, "test.csv", dataset="alice/mirror")
    assert "one of both" in response.text


def test_what_cannot_be_registered_leaves_no_repository(client, alice, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise DefinitionRefused("no")

    monkeypatch.setattr("leaderboard.benchmarks.register", refuse)
    client.force_login(alice)
    assert post(client, "banking77", BANKING, "test.csv").status_code == 400
    assert not Repo.objects.visible_to(alice).exists()


def test_a_set_of_a_task_that_the_portal_lacks_offers_nothing(client, alice, monkeypatch):
    monkeypatch.setattr(cataloguing, "KINDS", {})
    client.force_login(alice)
    page = client.get("/benchmarks/catalogue/banking77").text
    assert "cannot evaluate models on this kind of task" in page
    assert post(client, "banking77", BANKING, "test.csv").status_code == 400


def test_a_reading_that_takes_too_long_is_ended(client, alice, monkeypatch):
    monkeypatch.setattr(catalogue_reading, "WALL_SECONDS", 0)
    client.force_login(alice)
    assert "Reading it took too long." in post(client, "banking77", BANKING, "test.csv").text


def test_every_definition_of_a_known_task_is_a_proper_eval_yaml():
    usable = {entry.name: task for entry in entries().values() if (task := cataloguing.task_of(entry))}
    assert {"banking77", "clue-afqmc", "goemotions", "stsb-zh", "cluener", "msra-ner", "wnut17"} <= set(usable)
    for name, task in usable.items():
        made = definitions.parse(cataloguing.definition_of(entries()[name], task))
        assert made.primary_metric == entries()[name].primary, name
        assert made.labels == cataloguing.labels_of(entries()[name], task), name


CMRC = [{"title": "猫", "context_text": "狗会叫。", "qas": [{"query_text": "谁会叫？", "answers": ["狗", "狗会"]}]}]
CLUENER = {"text": "彭小军在台湾", "label": {"name": {"彭小军": [[0, 2]]}, "address": {"台湾": [[4, 5]]}}}


@pytest.mark.parametrize(
    ("name", "file", "content", "gold"),
    [
        ("cmrc2018", "cmrc2018_dev.json", CMRC, ("answers", ["狗", "狗会"])),
        ("cluener", "dev.json", CLUENER, ("tags", ["B-name", "I-name", "I-name", "O", "B-address", "I-address"])),
    ],
)
def test_what_is_made_can_be_read_by_the_engine(client, alice, tmp_path, name, file, content, gold):
    client.force_login(alice)
    post(client, name, json.dumps(content, ensure_ascii=False), file)
    benchmark = Benchmark.objects.get()
    path = tmp_path / "test.jsonl"
    path.write_text(content_of(benchmark.dataset, "test.jsonl"))
    task = tasks.find(benchmark.task)
    (row,) = read_examples(path, task, task.settings(benchmark.engine_settings), benchmark.fields)
    assert row.gold[gold[0]] == gold[1]
    assert benchmark.settings == (
        {"rules": "cmrc", "no_answer": False, "max_answer_length": 50} if content is CMRC else {}
    )


def test_every_reason_has_its_facts():
    for code in catalogue_texts.REASONS:
        assert "%(" not in catalogue_texts.reason_of(code, {"file": "a", "line": "1"})


def test_the_command_makes_one_too(alice, tmp_path, capsys):
    folder = tmp_path / "banking_data"
    folder.mkdir()
    (folder / "test.csv").write_text(BANKING)
    call_command("import_benchmark", "banking77", str(folder), "--user", "alice", "--repo", "bank", "--private")
    assert Benchmark.objects.get().dataset.full_name == "alice/bank"
    assert "2 rows, 0 left out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "user", "words"),
    [("unheard-of", "alice", "no “unheard-of”"), ("banking77", "nobody", "no user"), ("gsm8k", "alice", "no file")],
)
def test_the_command_says_what_is_wrong(alice, tmp_path, name, user, words):
    with pytest.raises(CommandError, match=words):
        call_command("import_benchmark", name, str(tmp_path / "missing"), "--user", user)
