"""The real datasets and pandas: rows in their usual forms, whole and streamed, pushed and loaded back."""

import pytest

pytestmark = pytest.mark.live


def test_jsonl_csv_and_parquet_load_whole_and_streamed(author, reader):
    author.python(
        """
        import json, pathlib
        import pandas as pd
        from huggingface_hub import HfApi
        rows = [{"text": f"sentence {n}", "label": n % 2} for n in range(50)]
        for kind in ("jsonl", "csv", "parquet"):
            folder = pathlib.Path(kind) / "data"
            folder.mkdir(parents=True)
            for split in ("train", "test"):
                frame = pd.DataFrame(rows if split == "train" else rows[:10])
                if kind == "jsonl":
                    frame.to_json(folder / f"{split}.jsonl", orient="records", lines=True)
                elif kind == "csv":
                    frame.to_csv(folder / f"{split}.csv", index=False)
                else:
                    frame.to_parquet(folder / f"{split}-00000-of-00001.parquet")
            HfApi().create_repo(f"rows-{kind}", repo_type="dataset")
            HfApi().upload_folder(repo_id=f"alice/rows-{kind}", repo_type="dataset", folder_path=kind)
        """
    )
    reader.python(
        """
        from datasets import load_dataset
        rows = [{"text": f"sentence {n}", "label": n % 2} for n in range(50)]
        for kind in ("jsonl", "csv", "parquet"):
            whole = load_dataset(f"alice/rows-{kind}")
            assert {name: split.num_rows for name, split in whole.items()} == {"train": 50, "test": 10}, (kind, whole)
            assert whole["train"].to_list() == rows
            streamed = load_dataset(f"alice/rows-{kind}", split="train", streaming=True)
            assert list(streamed.skip(3).take(2)) == rows[3:5]
        one = load_dataset("alice/rows-jsonl", data_files={"dev": "data/test.jsonl"}, split="dev", revision="main")
        assert one.to_list() == rows[:10]
        """
    )


def test_a_pushed_data_set_loads_back_with_its_splits_and_types(author, reader):
    author.python(
        """
        from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
        features = Features({"text": Value("string"), "label": ClassLabel(names=["no", "yes"])})
        rows = {"text": [f"sentence {n}" for n in range(50)], "label": [n % 2 for n in range(50)]}
        train = Dataset.from_dict(rows, features=features)
        DatasetDict(train=train, test=train.select(range(10))).push_to_hub("alice/pushed-rows")
        train.select(range(7)).push_to_hub("alice/pushed-rows", config_name="small", split="train", num_shards=2)
        train.push_to_hub("alice/pushed-rows-private", private=True)
        """
    )
    reader.python(
        """
        from datasets import get_dataset_config_names, get_dataset_split_names, load_dataset
        from datasets.exceptions import DatasetNotFoundError
        from huggingface_hub import DatasetCard
        assert sorted(get_dataset_config_names("alice/pushed-rows")) == ["default", "small"]
        assert get_dataset_split_names("alice/pushed-rows", "small") == ["train"]
        whole = load_dataset("alice/pushed-rows")
        assert whole["train"].num_rows == 50 and whole["test"].num_rows == 10
        assert whole["train"].features["label"].names == ["no", "yes"]
        assert load_dataset("alice/pushed-rows", "small", split="train", streaming=True).take(1)
        assert load_dataset("alice/pushed-rows", "small", split="train").num_rows == 7
        assert DatasetCard.load("alice/pushed-rows").data.configs[0]["config_name"] == "default"
        for name in ("alice/pushed-rows-private", "alice/not-there"):
            try:
                load_dataset(name)
            except DatasetNotFoundError:
                continue
            raise AssertionError(name)
        """
    )


def test_pandas_reads_and_writes_hf_addresses(author, reader):
    author.python(
        """
        import pandas as pd
        from huggingface_hub import HfApi
        HfApi().create_repo("frames", repo_type="dataset")
        frame = pd.DataFrame({"text": [f"sentence {n}" for n in range(50)], "label": [n % 2 for n in range(50)]})
        frame.to_csv("hf://datasets/alice/frames/rows.csv", index=False)
        frame.to_parquet("hf://datasets/alice/frames/rows.parquet")
        frame.to_json("hf://datasets/alice/frames/rows.jsonl", orient="records", lines=True)
        """
    )
    reader.python(
        """
        import pandas as pd
        root = "hf://datasets/alice/frames"
        csv, parquet = pd.read_csv(f"{root}/rows.csv"), pd.read_parquet(f"{root}@main/rows.parquet")
        jsonl = pd.read_json(f"{root}/rows.jsonl", lines=True)
        assert len(csv) == 50 and csv.equals(parquet) and csv.equals(jsonl)
        """
    )
