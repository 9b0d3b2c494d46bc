"""What `git-xet transfer` does, for tests: an agent of git-lfs that sends files through Xet, over the same library.

git-xet is no package of any registry that tests may ask. Its messages, the names of the headers it reads and the
address where it gets another token are those of git_xet 0.2.1 in huggingface/xet-core; what git-lfs says and expects is
https://github.com/git-lfs/git-lfs/blob/main/docs/custom-transfers.md. With `--refresh` it asks for a token at once, as
git-xet does when the one in the answer has expired.
"""

import json
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import hf_xet

AGENT = {"User-Agent": "git_xet/0.2.1"}


def say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def authorization(remote: str) -> dict[str, str]:
    """Return the header that git-xet takes from the address of the remote."""
    address = subprocess.run(["git", "remote", "get-url", remote], capture_output=True, text=True, check=True).stdout
    return {"Authorization": f"Bearer {urlsplit(address.strip()).password}"}


def upload(message: dict[str, Any], headers: dict[str, str], *, refresh: bool) -> None:
    action = message["action"]
    expires = 1 if refresh else int(action["header"]["X-Xet-Token-Expiration"])
    with hf_xet.XetSession().new_upload_commit(
        endpoint=action["header"]["X-Xet-Cas-Url"],
        token=action["header"]["X-Xet-Access-Token"],
        token_expiry_unix_secs=expires,
        token_refresh_url=action["href"],
        token_refresh_headers=headers,
        custom_headers=AGENT,
    ) as commit:
        commit.start_upload_file(message["path"], sha256=message["oid"])


def main() -> None:
    headers: dict[str, str] = {}
    for line in sys.stdin:
        message = json.loads(line)
        if message["event"] == "terminate":
            return
        if message["event"] == "init":
            if message["operation"] != "upload":
                say(error={"code": 32, "message": "downloads go by git-lfs itself"})
                continue
            headers = AGENT | authorization(message["remote"])
            say()
            continue
        say(event="progress", oid=message["oid"], bytesSoFar=1, bytesSinceLast=1)
        try:
            upload(message, headers, refresh="--refresh" in sys.argv)
        except (hf_xet.XetAuthenticationError, OSError, RuntimeError) as error:
            say(event="complete", oid=message["oid"], error={"code": 2, "message": str(error)})
        else:
            say(event="complete", oid=message["oid"])


if __name__ == "__main__":
    main()
