"""What a run cannot see, reach or become; and that an honest one is not hindered."""

import errno
import json
import os
import platform
import stat
import sys
from pathlib import Path

import pytest

from tests.live import ROOT
from tests.worker.sandboxes import HERE, HERE_BARE, USER, Kind, kinds, limits, python
from worker import sandbox

REFUSED = """
import json, socket, sys
answer = {}
for name in ("AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_UNIX", "AF_VSOCK"):
    try:
        socket.socket(getattr(socket, name), socket.SOCK_DGRAM).close()
        answer[name] = None
    except OSError as error:
        answer[name] = error.errno
print(json.dumps(answer))
"""
CALLS = """
import ctypes, json, sys
libc = ctypes.CDLL(None, use_errno=True)
answer = {}
for name, number in json.loads(sys.argv[1]).items():
    ctypes.set_errno(0)
    libc.syscall(ctypes.c_long(number), ctypes.c_long(0), ctypes.c_long(0), ctypes.c_long(0), ctypes.c_long(0))
    answer[name] = ctypes.get_errno()
print(json.dumps(answer))
"""
CALL_NUMBERS = {
    "ptrace": 101, "unshare": 272, "setns": 308, "mount": 165, "bpf": 321, "io_uring_setup": 425, "userfaultfd": 323,
    "keyctl": 250, "perf_event_open": 298, "process_vm_readv": 310, "open_by_handle_at": 304, "kexec_load": 246,
}  # fmt: skip
READ = """
import json, os, sys
answer = {}
for path in sys.argv[1:]:
    try:
        os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1)
        answer[path] = True
    except OSError:
        answer[path] = False
print(json.dumps(answer))
"""


@kinds()
def test_no_kind_of_network_socket_can_be_made(kind: Kind, tmp_path: Path) -> None:
    answer = kind.attempt(REFUSED, tmp_path).answer
    own_machine_only = answer.pop("AF_UNIX")
    assert set(answer.values()) == {errno.EAFNOSUPPORT}
    assert own_machine_only == (None if kind.has_namespaces else errno.EAFNOSUPPORT)


@kinds()
def test_files_of_the_host_and_of_the_project_cannot_be_read(kind: Kind, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a token")
    secret.chmod(0o644)
    paths = ["/etc/shadow", "/etc/passwd", "/root", "/home", "/var", "/run", "/sys/class", str(secret), str(tmp_path)]
    paths += [str(ROOT / name) for name in ("manage.py", "portal", "worker/sandbox", ".git", "data", "tests")]
    answer = kind.attempt(READ, tmp_path, *paths).answer
    # The way to the interpreter and to the working folder exists inside, with nothing else in it.
    leaked = {path for path, seen in answer.items() if seen} - {"/root", str(tmp_path)}
    assert leaked == set()


@kinds(HERE, USER)
def test_the_root_folder_holds_only_what_leads_to_the_interpreter(kind: Kind, tmp_path: Path) -> None:
    code = "import json, os; print(json.dumps([os.listdir('/'), os.listdir('/etc'), os.listdir('/dev/shm')]))"
    root, etc, shm = kind.attempt(code, tmp_path).answer
    assert "sys" not in root
    assert set(etc) <= {"ld.so.cache", "alternatives"}
    assert shm == []


@kinds()
def test_the_environment_of_the_worker_is_not_passed_on(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "do not tell")
    answer = kind.attempt("import json, os; print(json.dumps(dict(os.environ)))", tmp_path).answer
    assert set(answer) <= {"PATH", "LANG", "HOME", "TMPDIR", "USER", "LOGNAME", "PWD", "LC_CTYPE"}


def test_extra_environment_is_given_and_standard_input_is_empty(tmp_path: Path) -> None:
    lines: list[str] = []
    sandbox.run(
        python("import os, sys; print(os.environ['OMP_NUM_THREADS'] + sys.stdin.read())"),
        readonly=[],
        writable=tmp_path,
        limits=limits(),
        on_line=lines.append,
        should_stop=lambda: None,
        environment={"OMP_NUM_THREADS": "3"},
    )
    assert lines == ["3"]


@kinds()
def test_a_run_is_no_root_and_has_no_capability(kind: Kind, tmp_path: Path) -> None:
    code = """
import json, os
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps([os.getuid(), os.getgroups(), [int(status[n], 16) for n in ("CapEff", "CapPrm", "CapInh", "CapAmb")],
    status["NoNewPrivs"].strip(), status["Seccomp"].strip()]))
"""
    uid, groups, capabilities, no_new_privileges, seccomp = kind.attempt(code, tmp_path).answer
    assert uid != 0
    assert 0 not in groups
    assert capabilities == [0, 0, 0, 0]
    assert (no_new_privileges, seccomp) == ("1", "2")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of one processor family")
@kinds()
def test_calls_that_reach_deep_into_the_kernel_are_refused(kind: Kind, tmp_path: Path) -> None:
    answer = kind.attempt(CALLS, tmp_path, json.dumps(CALL_NUMBERS)).answer
    assert answer == dict.fromkeys(CALL_NUMBERS, errno.EPERM)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of one processor family")
@kinds(HERE, HERE_BARE)
def test_the_filter_cannot_be_walked_around_by_another_call_table(kind: Kind, tmp_path: Path) -> None:
    other_table = 0x40000000
    numbers = {"x32 socket": other_table + 41, "x32 ptrace": other_table + 521, "clone3": 435}
    answer = kind.attempt(CALLS, tmp_path, json.dumps(numbers)).answer
    assert answer == dict.fromkeys(numbers, errno.ENOSYS)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the instructions are those of one processor family")
@kinds(HERE, HERE_BARE)
def test_a_call_through_the_32_bit_entry_ends_the_run(kind: Kind, tmp_path: Path) -> None:
    code = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid); int 0x80; ret
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
print("reached")
"""
    attempt = kind.attempt(code, tmp_path)
    assert attempt.lines == []
    assert attempt.outcome.returncode < 0


@kinds()
def test_a_run_can_neither_see_into_the_worker_nor_signal_it(kind: Kind, tmp_path: Path) -> None:
    code = """
import json, os, sys
answer = []
for pid in os.getppid(), int(sys.argv[1]):
    for attempt in (lambda: os.kill(pid, 0), lambda: open(f"/proc/{pid}/environ").read(),
                    lambda: open(f"/proc/{pid}/mem", "r+b"), lambda: os.readlink(f"/proc/{pid}/fd/0")):
        try:
            attempt()
            answer.append(True)
        except OSError:
            answer.append(False)
print(json.dumps(answer))
"""
    answer = kind.attempt(code, tmp_path, str(os.getpid())).answer
    # Inside a process namespace the parent is the namespace's own first process, which a run may see and not harm.
    assert not any(answer[4:] if kind.has_namespaces else answer)


@kinds(HERE, USER)
def test_inside_its_namespace_a_run_sees_only_its_own_processes(kind: Kind, tmp_path: Path) -> None:
    code = "import json, os; print(json.dumps([name for name in os.listdir('/proc') if name.isdigit()]))"
    assert kind.attempt(code, tmp_path).answer == ["1", "2"]


@kinds()
def test_nothing_but_the_writable_folder_can_be_written(kind: Kind, tmp_path: Path) -> None:
    code = """
import json, os, sys
answer = {}
for folder in ["/", "/dev", "/usr", "/etc", os.path.dirname(sys.executable), sys.argv[1], os.environ["HOME"]]:
    try:
        open(os.path.join(folder, "new"), "w").close()
        answer[folder] = True
    except OSError:
        answer[folder] = False
print(json.dumps([folder for folder, written in answer.items() if written] == [os.environ["HOME"]]))
"""
    assert kind.attempt(code, tmp_path, str(ROOT / "worker" / "engine")).answer is True


@kinds(HERE, HERE_BARE)
def test_files_given_to_read_are_read_at_their_own_place_however_private(kind: Kind, tmp_path: Path) -> None:
    given, out = tmp_path / "given", tmp_path / "out"
    for folder in (given, out):
        folder.mkdir(mode=0o700)
    (given / "spec.json").write_text("hello")
    (given / "spec.json").chmod(0o600)
    code = f"""
import json
try:
    open({str(given / "more")!r}, "w")
except OSError as error:
    refused = True
print(json.dumps([open({str(given / "spec.json")!r}).read(), refused]))
"""
    lines: list[str] = []
    outcome = sandbox.run(
        python(code), readonly=[given], writable=out, limits=limits(), on_line=lines.append,
        should_stop=lambda: None, policy=kind.policy,
    )  # fmt: skip
    assert lines == ['["hello", true]'], outcome
    assert stat.S_IMODE((given / "spec.json").stat().st_mode) == 0o600


@kinds(HERE, HERE_BARE)
def test_a_path_through_a_link_works_inside_as_outside(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "disk" / "out").mkdir(parents=True)
    (tmp_path / "disk" / "given").write_text("hello")
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    given, out = tmp_path / "data" / "given", tmp_path / "data" / "out"
    outcome = sandbox.run(
        python(f"open({str(out / 'result')!r}, 'w').write(open({str(given)!r}).read())"), readonly=[given],
        writable=out, limits=limits(), on_line=print, should_stop=lambda: None, policy=kind.policy,
    )  # fmt: skip
    assert sandbox.collect(out, "result", 100) == b"hello", outcome


def test_a_file_with_a_second_name_is_not_handed_over(tmp_path: Path) -> None:
    (tmp_path / "blob").write_text("shared")
    out = tmp_path / "out"
    out.mkdir()
    (out / "blob").hardlink_to(tmp_path / "blob")
    HERE.attempt("pass", tmp_path)
    assert (tmp_path / "blob").stat().st_uid == os.geteuid()


@kinds(HERE, HERE_BARE)
def test_a_writable_folder_may_lie_in_a_readable_one(kind: Kind, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    outcome = sandbox.run(
        python("open('result', 'w').write('done')"), readonly=[tmp_path], writable=out, limits=limits(),
        on_line=print, should_stop=lambda: None, policy=kind.policy,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome
    assert sandbox.collect(out, "result", 100) == b"done"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a run a user of its own")
@kinds(HERE, HERE_BARE)
def test_a_set_user_id_program_left_behind_is_not_roots(kind: Kind, tmp_path: Path) -> None:
    kind.attempt("import os; open('trap', 'w').close(); os.chmod('trap', 0o6755)", tmp_path)
    status = (tmp_path / "out" / "trap").stat()
    assert 0 not in (status.st_uid, status.st_gid)


@kinds(HERE, USER)
def test_the_temporary_folder_is_private_and_bounded(kind: Kind, tmp_path: Path) -> None:
    code = """
import json, os, tempfile
before = os.listdir("/tmp")
try:
    with open("/tmp/fill", "wb") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
            os.fsync(file.fileno())
except OSError as error:
    print(json.dumps([before, error.errno]))
"""
    entries, refused = kind.attempt(code, tmp_path, limits=limits(memory_mb=128, disk_mb=64)).answer
    # What a run may see can itself lie below /tmp; nothing else of the folder shows.
    ways = [tmp_path, Path(sys.prefix), Path(sys.base_prefix), ROOT]
    known = {path.parts[2] for path in ways if path.parts[:2] == ("/", "tmp")}
    assert len(set(entries) - known) <= kind.ordinary_user  # who is given a working folder by another name
    assert refused == errno.ENOSPC
    assert not Path("/tmp/fill").exists()


@kinds()
def test_threads_and_child_processes_of_an_honest_run_work(kind: Kind, tmp_path: Path) -> None:
    code = """
import json, subprocess, sys, threading
said = []
threads = [threading.Thread(target=said.append, args=(number,)) for number in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
child = subprocess.run([sys.executable, "-I", "-S", "-c", "print(41 + 1)"], capture_output=True, text=True, check=True)
print(json.dumps([sorted(said), child.stdout.strip()]))
"""
    attempt = kind.attempt(code, tmp_path)
    assert attempt.answer == [[0, 1, 2, 3], "42"]
    assert attempt.outcome.killed_because is None
