"""Downloads through Xet that break: the connection in the middle of the bytes, or the client's own machine."""

import random
import subprocess

import pytest

from tests.wire.clients import Machine
from tests.wire.proxies import Network

pytestmark = pytest.mark.live
# Random, so that no two chunks are alike; and so long that the portal leads to Xet for it.
CONTENT = random.Random(7).randbytes(20_000_000)
CUT = 3_000_000
DOWNLOAD = """
import os, sys
os.environ["HF_ENDPOINT"] = sys.argv[1]
from huggingface_hub import hf_hub_download
hf_hub_download("alice/interrupted", "model.bin", local_dir="got")
"""


@pytest.fixture(scope="module")
def uploaded(live_portal, tmp_path_factory) -> None:
    sender = Machine(live_portal, tmp_path_factory.mktemp("sender"), live_portal.user("alice"))
    sender.home.joinpath("model.bin").write_bytes(CONTENT)
    sender.hf("upload", "alice/interrupted", "model.bin")


@pytest.fixture
def reader(live_portal, tmp_path, uploaded) -> Machine:
    return Machine(live_portal, tmp_path / "reader")


def came_through_xet(network: Network) -> bool:
    return any(b"/reconstructions/" in line for line in network.request_lines)


def test_a_cut_connection_does_not_spoil_the_file(reader):
    with Network(reader.portal.port, cut_after=CUT) as network:
        reader.python(DOWNLOAD, network.url)
        assert network.cut
        assert came_through_xet(network)
    assert (reader.home / "got" / "model.bin").read_bytes() == CONTENT


def test_a_client_killed_in_the_middle_leaves_no_file_and_gets_it_whole_the_next_time(reader):
    got = reader.home / "got" / "model.bin"
    reader.home.mkdir(parents=True)
    with Network(reader.portal.port, stall_after=CUT) as network:
        command = [reader.program("python"), "-c", DOWNLOAD, network.url]
        client = subprocess.Popen(command, env=reader.env, cwd=reader.home)
        try:
            assert network.stalled.wait(60)
        finally:
            client.kill()
            client.wait(10)
        assert came_through_xet(network)
        assert not got.exists()
        network.mended.set()
        reader.python(DOWNLOAD, network.url)
    assert got.read_bytes() == CONTENT
