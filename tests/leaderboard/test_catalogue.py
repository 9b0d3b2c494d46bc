"""Every definition of a well-known set is whole."""

from leaderboard.catalogue import reading, rows
from leaderboard.catalogue.entries import entries
from leaderboard.catalogue.preparing import PREPARATIONS
from models_hub import licences


def test_every_definition_is_whole():
    for entry in entries().values():
        assert entry.task in rows.CHECKS, entry.name
        assert entry.license == "unknown" or entry.license in licences.LICENCES, entry.name
        assert entry.license != "other" or entry.license_note, entry.name
        assert len(set(entry.labels)) == len(entry.labels), entry.name
        assert all(isinstance(label, str) for label in entry.labels), entry.name
        assert bool(entry.labels) == bool({"label", "labels", "tags"} & set(rows.COLUMNS[entry.task])), entry.name
        assert entry.title_zh, entry.name
        assert entry.description_zh, entry.name
        assert entry.homepage.startswith("https://"), entry.name
        for source in entry.sources:
            assert bool(entry.shots) or not source.examples, entry.name
            assert source.reader == "parquet" or source.reader in reading.READERS, entry.name
            assert not source.prepare or source.prepare in PREPARATIONS, entry.name
            made = set(source.row) | ({"answers"} if entry.task == "question-answering" else set())
            made |= {"relevant"} if source.corpus and source.judgements else set()
            assert set(rows.COLUMNS[entry.task]) <= made, entry.name


def test_labels_that_a_map_leads_to_are_those_of_the_set():
    for entry in entries().values():
        for source in entry.sources:
            for column in ("label", "labels"):
                how = source.row.get(column)
                if isinstance(how, dict) and "map" in how:
                    assert set(how["map"].values()) == set(entry.labels), entry.name
