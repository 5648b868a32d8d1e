"""The Python client: what the server refuses is raised as it was, and what is no server is said plainly."""

import http.server
import threading
from collections.abc import Iterator

import pytest
from tests.serving import serving

from thresher.client import Client, Console, WorkerClient
from thresher.errors import BadInput, Denied, NotFound, NotReady, ThresherError
from thresher.settings import Settings
from thresher.store.contract import Store


def test_a_refusal_is_raised_as_the_error_it_was(store: Store, settings: Settings) -> None:
    with serving(store, settings) as served:
        with pytest.raises(NotFound) as missing:
            served.console.category("nobody")
        assert missing.value.status == 404
        assert "nobody" in missing.value.what
        with pytest.raises(Denied):
            Console(served.url, "wrong").categories()
        with pytest.raises(ThresherError) as unknown:
            Console(served.url, "wrong").data("/static/x" + "x" * 70_000)
        assert 400 <= unknown.value.status < 500


def test_a_link_is_enough_to_start_from(store: Store, settings: Settings) -> None:
    with serving(store, settings) as served:
        worker = WorkerClient.join(served.console.add_invite().link, "Ada")
        again = WorkerClient.from_link(f"{served.url}/work#t={worker.token}")
        assert again.me() == worker.me()
        assert again.me().name == "Ada"
        assert Console.from_link(f"{served.url}/?token={served.token}").categories() == []


@pytest.mark.parametrize("url", ["", "cars", "ftp://127.0.0.1", "http://", "file:///etc/passwd"])
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="not a server address"):
        Client(url)


def test_where_nobody_answers_the_next_command_is_told() -> None:
    with pytest.raises(NotReady, match="no server answers") as refused:
        Client("http://127.0.0.1:9").health()
    assert refused.value.next == "thresher serve"


@pytest.fixture
def somebody_else() -> Iterator[str]:
    """A server that is not thresher's."""

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(500)
            self.end_headers()
            self.wfile.write(b"<h1>out of order</h1>")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Other) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{other.server_port}"
        other.shutdown()
        thread.join()


def test_an_answer_that_is_not_ours_is_no_stack_trace(somebody_else: str) -> None:
    with pytest.raises(NotReady, match="answered 500"):
        Client(somebody_else).health()
