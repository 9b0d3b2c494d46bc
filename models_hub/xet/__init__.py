"""The Xet protocol: uploads of large files as deduplicated chunks, under /cas."""
