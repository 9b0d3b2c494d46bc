"""What the comparison of two revisions looks like in the REST API."""

from typing import Any

from rest_framework import serializers

from models_hub.api.shapes import CommitShape, EntryShape


class FileChangeShape(serializers.Serializer[Any]):
    """One file that differs; `before` is null of a new file, `after` of a removed one."""

    path = serializers.CharField()
    kind = serializers.ChoiceField(choices=["added", "removed", "changed", "renamed"])
    before = EntryShape(allow_null=True)
    after = EntryShape(allow_null=True)
    added = serializers.IntegerField(help_text="Lines.")
    removed = serializers.IntegerField(help_text="Lines.")
    lines = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="The unified diff, null where there is none to show."
    )
    left_out = serializers.IntegerField(help_text="How many lines of the diff are not here.")


class FieldChangeShape(serializers.Serializer[Any]):
    """One field by its path; both sides are JSON as text, null where there is none."""

    path = serializers.CharField()
    kind = serializers.ChoiceField(choices=["added", "removed", "changed"])
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)


class FieldChangesShape(serializers.Serializer[Any]):
    """The fields of one file that differ, and how many there are, however many are here."""

    path = serializers.CharField(source="place")
    count = serializers.IntegerField()
    changes = FieldChangeShape(many=True)


class ScoreChangeShape(serializers.Serializer[Any]):
    """One score that the repository states of itself; a side is null where it is not stated."""

    dataset = serializers.CharField()
    metric = serializers.CharField()
    before = serializers.FloatField(allow_null=True)
    after = serializers.FloatField(allow_null=True)


class TensorSideShape(serializers.Serializer[Any]):
    """A tensor on one side."""

    dtype = serializers.CharField()
    shape = serializers.ListField(child=serializers.IntegerField())


class TensorChangeShape(serializers.Serializer[Any]):
    """One tensor that differs."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=["added", "removed", "reshaped", "changed"])
    before = TensorSideShape(allow_null=True)
    after = TensorSideShape(allow_null=True)
    share = serializers.FloatField(allow_null=True, help_text="Of its numbers, those that differ.")
    distance = serializers.FloatField(
        allow_null=True, help_text="The length of the difference, as a share of the length of what was before."
    )


class TensorsShape(serializers.Serializer[Any]):
    """What is known of the tensors; where `is_known` is false, their bytes have to be compared by a job."""

    is_known = serializers.BooleanField()
    count = serializers.SerializerMethodField(help_text="How many differ, however many are here.")
    same = serializers.SerializerMethodField(help_text="To the last bit, in files that differ; null until it is known.")
    bytes = serializers.IntegerField(source="plan.size", help_text="To be read to compare those of the same shape.")
    problem = serializers.CharField(source="plan.problem", help_text="Why tensors are not listed, if they are not.")
    changes = TensorChangeShape(many=True, source="shown")

    def get_count(self, result: Any) -> int:
        return len(result.changes)

    def get_same(self, result: Any) -> int | None:
        return result.same if result.is_known else None


class RevisionComparisonShape(serializers.Serializer[Any]):
    """All that differs between two revisions; `compared_with` is null where they share no past."""

    base = CommitShape()
    head = CommitShape()
    compared_with = serializers.CharField(allow_null=True, help_text="The id of the commit before the differences.")
    ahead = serializers.IntegerField(help_text="Commits that only head has.")
    behind = serializers.IntegerField(help_text="Commits that only base has.")
    commits = CommitShape(many=True, help_text="The newest of those that only head has.")
    count = serializers.IntegerField(help_text="How many files differ, however many are here.")
    files = FileChangeShape(many=True)
    card = FieldChangesShape(allow_null=True)
    configs = FieldChangesShape(many=True)
    scores = ScoreChangeShape(many=True)
    tensors = TensorsShape()
