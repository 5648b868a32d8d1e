"""A plan over HTTP: what the command tells, for the console."""

from tests.serving import Served


def test_a_plan_has_its_intervals_and_its_words(server: Served) -> None:
    asked = {"precision": 0.95, "recall": 0.9, "prevalence": 0.02}
    answer = server.http.get(
        "/api/console/categories/car/plan", params=asked, headers={"Authorization": f"Bearer {server.token}"}
    )
    made = answer.json()
    assert answer.status_code == 200
    assert made["method"] == "certified"
    assert made["pictures"]["low"] <= made["pictures"]["expected"] <= made["pictures"]["high"] <= 32
    assert made["dollars"]["expected"] > 0
    assert any("Better queries cost less" in line for line in made["words"])


def test_a_plan_that_makes_no_sense_is_refused(server: Served) -> None:
    bearer = {"Authorization": f"Bearer {server.token}"}
    for asked, status in (({"precision": "95"}, 422), ({"method": "cascade"}, 422), ({"method": "magic"}, 422)):
        answer = server.http.get("/api/console/categories/car/plan", params=asked, headers=bearer)
        assert answer.status_code in (400, status)
    assert server.http.get("/api/console/categories/car/plan").status_code == 401
