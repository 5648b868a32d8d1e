"""The API's description: stable, committed where the pages are made from it, and readable at /docs."""

from pathlib import Path

from tests.serving import Served

from thresher.server.app import openapi_text

COMMITTED = Path(__file__).parents[2] / "web" / "openapi.json"


def test_the_committed_description_is_that_of_the_code() -> None:
    assert COMMITTED.read_text("utf-8") == openapi_text(), "next: thresher openapi > web/openapi.json"


def test_every_operation_has_a_readable_name_of_its_own_and_answers_problems(server: Served) -> None:
    operations = [
        operation for path in server.http.get("/openapi.json").json()["paths"].values() for operation in path.values()
    ]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(name.replace("_", "").isalpha() for name in names)
    for operation in operations:
        assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]
        assert operation["description"]


def test_the_reference_names_every_route_and_loads_nothing(server: Served) -> None:
    answer = server.http.get("/docs")
    for path in server.http.get("/openapi.json").json()["paths"]:
        assert f"{path}</code>" in answer.text
    assert "<script" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
