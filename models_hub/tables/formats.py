"""The names of files that hold rows."""

FORMATS = {
    "csv": "csv",
    "tsv": "tsv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "json",
    "parquet": "parquet",
    "arrow": "arrow",
    "feather": "arrow",
}


def format_of(path: str) -> str | None:
    """Return csv, tsv, jsonl, json, parquet or arrow by a file's name, None for a file that is no table."""
    name = path.rsplit("/", 1)[-1].lower()
    plain = name.removesuffix(".gz")
    found = FORMATS.get(plain.rsplit(".", 1)[-1]) if "." in plain.strip(".") else None
    return None if found in {"parquet", "arrow"} and plain != name else found
