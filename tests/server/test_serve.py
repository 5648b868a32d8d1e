"""`serve` from start to Ctrl-C, in a process of its own, as `thresher serve` runs it."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from thresher.errors import BadSetting, Busy
from thresher.server.listening import listening
from thresher.settings import Settings
from thresher.store.contract import Store

PROGRAM = """
import sys
from pathlib import Path
from thresher.server.app import serve
from thresher.settings import read_settings
from thresher.store import open_store

settings = read_settings(Path(sys.argv[1]), {}).but(host=sys.argv[2], port=0)
store = open_store(sys.argv[1], settings)
serve(store, settings, ready=lambda url: print(url, flush=True))
store.close()
print("ended well", flush=True)
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_serve_tells_its_address_answers_there_and_ends_quietly(store: Store, tmp_path: Path, stop: int) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, str(program), store.place, "127.0.0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/healthz", timeout=60).json()["status"] == "ok"
        process.send_signal(stop)
        told, said = process.communicate(timeout=120)
    assert (told, said, process.returncode) == ("ended well\n", "", 0)


def test_an_answer_is_sent_at_once_and_waits_for_no_receipt() -> None:
    with listening("127.0.0.1", 0) as server, socket.create_connection(server.getsockname()):
        connection, _ = server.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
def test_an_address_of_the_new_kind_is_told_with_its_brackets(store: Store, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, str(program), store.place, "::1"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://[::1]:")
        assert httpx.get(f"{url}/healthz", timeout=60).json()["status"] == "ok"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)


def test_a_port_that_is_taken_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Busy) as refused:
        listening("127.0.0.1", taken.getsockname()[1])
    assert "is taken" in str(refused.value)
    assert "--port 0" in refused.value.next


def test_only_loopback_is_listened_on_until_the_setting_says_otherwise(settings: Settings) -> None:
    with listening(settings.host, 0) as ours, listening("0.0.0.0", 0) as everywhere:
        address, port = ours.getsockname()
        assert address == "127.0.0.1"
        # 127.0.0.2 is this machine too, and stands for its other addresses
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=10)
        socket.create_connection(("127.0.0.2", everywhere.getsockname()[1]), timeout=10).close()


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_this_machines_is_one_clear_line(host: str, settings: Settings) -> None:
    with pytest.raises(BadSetting, match="cannot listen"):
        listening(host, settings.port)
