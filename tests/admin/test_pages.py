"""What holds for every page of the admin: language, time zone, and what a browser may run on it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from tests.admin.conftest import member_of_staff, signed_in
from tests.factories.cards import DraftSeasonFactory, SeasonFactory


def policy(client: Client, path: str) -> dict[str, list[str]]:
    """The directives of a page's content security policy."""
    header = client.get(path).headers["Content-Security-Policy"]
    directives = (directive.split() for directive in header.split(";"))
    return {name: values for name, *values in directives}


class TestContentSecurityPolicy:
    def test_theme_may_evaluate_and_style(self, boss: Client) -> None:
        found = policy(boss, "/admin/")
        assert found["script-src"] == ["'self'", "'unsafe-eval'"]
        assert found["style-src"] == ["'self'", "'unsafe-inline'"]
        assert found["frame-ancestors"] == ["'none'"]

    @pytest.mark.parametrize("path", ["/api/docs/", "/api/v1/campaigns", "/livez", "/administrator"])
    def test_nothing_else_may(self, db: None, client: Client, path: str) -> None:
        for values in policy(client, path).values():
            assert not {"'unsafe-eval'", "'unsafe-inline'"} & {*values}

    def test_documentation_carries_its_nonce(self, db: None, client: Client) -> None:
        response = client.get("/api/docs/")
        nonce = response.headers["Content-Security-Policy"].partition("'nonce-")[2].partition("'")[0]
        assert nonce
        page = response.content.decode()
        assert page.count(f'nonce="{nonce}"') == 2
        assert "<script>" not in page
        assert "<style>" not in page


class TestLanguages:
    def test_browser_chooses(self, boss: Client) -> None:
        for language, words in (("zh-CN", ["活动季", "抽卡", "结算"]), ("en", ["Season", "Draws", "Settlements"])):
            page = boss.get("/admin/", HTTP_ACCEPT_LANGUAGE=language).content.decode()
            assert [word for word in words if word not in page] == []

    def test_switch_wins_over_the_browser(self, boss: Client) -> None:
        assert 'action="/i18n/setlang/"' in boss.get("/admin/").content.decode()
        boss.post("/i18n/setlang/", {"language": "zh-hans", "next": "/admin/"})
        assert "活动季" in boss.get("/admin/", HTTP_ACCEPT_LANGUAGE="en").content.decode()

    def test_checks_and_columns_are_chinese(self, boss: Client) -> None:
        campaign = DraftSeasonFactory(name_zh="元宵集福")
        page = boss.get(
            f"/admin/fortunes/campaign/{campaign.pk}/change/", HTTP_ACCEPT_LANGUAGE="zh-hans"
        ).content.decode()
        assert [word for word in ("元宵集福", "开启前检查", "未通过", "已设奖池", "截止时间") if word not in page] == []
        columns = boss.get("/admin/cards/cardkind/", HTTP_ACCEPT_LANGUAGE="zh-hans").content.decode()
        assert [word for word in ("活动", "卡面字", "爱国福") if word not in columns] == []

    def test_refusals_of_the_api_are_chinese_too(self, db: None, client: Client) -> None:
        title = client.get("/api/v1/me", HTTP_ACCEPT_LANGUAGE="zh-CN").json()["title"]
        assert title == "请先登录。"


class TestTimeZone:
    def test_pages_are_in_the_time_zone_of_staff(self, boss: Client, settings: object) -> None:
        campaign = SeasonFactory()
        page = f"/admin/fortunes/campaign/?q={campaign.slug}"
        for name, hours in (("Asia/Shanghai", 8), ("UTC", 0)):
            settings.STAFF_TIME_ZONE = name
            local = campaign.closes_at + timezone.timedelta(hours=hours)
            assert f"{local:%Y-%m-%d %H:%M:%S}" in boss.get(page).content.decode()

    def test_other_pages_are_not(self, db: None, client: Client) -> None:
        campaign = SeasonFactory()
        signed_in(member_of_staff(is_superuser=True)).get("/admin/")
        body = client.get(f"/api/v1/campaigns/{campaign.slug}").json()
        assert body["closes_at"] == f"{campaign.closes_at:%Y-%m-%dT%H:%M:%S.%f}Z"


class TestOddInput:
    @pytest.mark.parametrize(
        "address", ["fortunes/job/%00/change/", "redpackets/settlement/?state__exact=%00", "accounts/player/?q=%00"]
    )
    def test_what_no_column_can_hold_is_no_fault_of_the_database(self, boss: Client, address: str) -> None:
        response = boss.get(f"/admin/{address}")
        assert (response.status_code, response.json()["code"]) == (400, "invalid-request")

    def test_a_number_of_thousands_of_digits_is_nobody_s(self, boss: Client) -> None:
        for place in ("accounts/player", "accounts/refreshfamily", "fortunes/auditentry"):
            assert boss.get(f"/admin/{place}/", {"q": "1" * 5000}).status_code == 200
