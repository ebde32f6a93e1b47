"""Players and staff at the admin; what staff may do to a settlement."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from accounts import families
from accounts.models import Player
from fortunes.models import AuditEntry
from redpackets.models import Settlement
from tests.admin.conftest import member_of_staff, signed_in
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.factories.redpackets import SettlementFactory

PASSWORD = "plum-blossom-7"


def page(player: Player) -> str:
    return f"/admin/accounts/player/{player.pk}/change/"


class TestSignIn:
    @pytest.mark.parametrize(("is_staff", "status"), [(True, 302), (False, 200)])
    def test_needs_staff(self, db: None, client: Client, is_staff: bool, status: int) -> None:
        Player.objects.create_user("xiaofu", PASSWORD, is_staff=is_staff)
        response = client.post("/admin/login/", {"username": "XiaoFu", "password": PASSWORD})
        assert response.status_code == status
        if is_staff:
            assert response.url == "/admin/"


class TestPlayers:
    def test_player_is_shut_out_by_a_ban_and_not_by_a_tick(self, boss: Client) -> None:
        player = PlayerFactory(nickname="Xiaofu")
        assert boss.post(page(player), {"nickname": "Xiaofu"}).status_code == 302
        player.refresh_from_db()
        assert player.is_active

    def test_a_colleague_s_account_is_closed(self, boss: Client) -> None:
        colleague = PlayerFactory(nickname="", is_staff=True)
        assert boss.post(page(colleague), {"nickname": "", "is_staff": "on"}).status_code == 302
        colleague.refresh_from_db()
        assert not colleague.is_active

    def test_what_gives_rights_is_on_record(self, boss: Client) -> None:
        player, group = PlayerFactory(nickname=""), Group.objects.create(name="Helpers")
        boss.post(page(player), {"nickname": "Fu", "is_staff": "on", "groups": [group.pk]})
        entry = AuditEntry.objects.get(action="player.changed", subject_id=player.pk)
        assert entry.actor_id == int(boss.session["_auth_user_id"])
        assert entry.data == {
            "columns": ["nickname", "is_staff", "groups"],
            "values": {"is_staff": True, "groups": [group.pk]},
        }
        boss.post(f"/admin/auth/group/{group.pk}/change/", {"name": "Friends"})
        boss.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})
        about = AuditEntry.objects.filter(subject="auth.group", subject_id=group.pk).order_by("seq")
        assert [entry.action for entry in about] == ["group.changed", "group.deleted"]
        assert "Friends" not in str([entry.data for entry in about])

    def test_what_is_not_on_the_form_stays(self, boss: Client) -> None:
        player = PlayerFactory(nickname="")
        body = {"nickname": "Fu", "username": "taken-over", "friend_count": 7, "is_active": "on"}
        boss.post(page(player), body)
        changed = Player.objects.get(pk=player.pk)
        assert (changed.nickname, changed.username, changed.friend_count) == ("Fu", player.username, 0)

    def test_only_changed_columns_are_written(self, boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """A friendship that is made while the form is being saved keeps its count."""
        friendship = FriendshipFactory()
        player = friendship.player
        load = type(player).refresh_from_db
        original = Player.save

        def save_late(self: Player, *args: Any, **fields: Any) -> None:
            Player.objects.filter(pk=self.pk).update(friend_count=2)
            original(self, *args, **fields)

        monkeypatch.setattr(Player, "save", save_late)
        boss.post(page(player), {"nickname": "Fu", "is_active": "on"})
        boss.post(f"/admin/accounts/player/{player.pk}/password/", {"password1": PASSWORD, "password2": PASSWORD})
        load(player)
        assert (player.nickname, player.friend_count) == ("Fu", 2)
        assert player.check_password(PASSWORD)
        Player.objects.filter(pk=player.pk).update(friend_count=1)

    def test_a_nickname_is_of_the_same_kind_as_everywhere(self, boss: Client) -> None:
        player = PlayerFactory(nickname="Fu")
        for nickname in ("Fu\u202eoaix", "Fu\nxiao", "f" * 25):
            assert boss.post(page(player), {"nickname": nickname}).status_code == 200
        player.refresh_from_db()
        assert player.nickname == "Fu"

    def test_a_superuser_who_is_no_staff_now_is_a_colleague_still(self, db: None) -> None:
        clerk = signed_in(member_of_staff("accounts.view_player", "accounts.change_player"))
        away = Player.objects.create_user("away", PASSWORD, is_superuser=True)
        body = {"password1": f"{PASSWORD}-new", "password2": f"{PASSWORD}-new"}
        assert clerk.post(f"/admin/accounts/player/{away.pk}/password/", body).status_code == 403

    def test_nobody_but_a_superuser_hands_rights_to_a_group(self, db: None) -> None:
        verbs = ("add", "change", "delete", "view")
        clerk, group = member_of_staff(*(f"auth.{verb}_group" for verb in verbs)), Group.objects.create(name="Helpers")
        clerk.groups.add(group)
        client, right = signed_in(clerk), Permission.objects.get(codename="ban_player")
        body = {"name": "Helpers", "permissions": [right.pk], "post": "yes"}
        for address in (f"{group.pk}/change/", f"{group.pk}/delete/", "add/"):
            assert client.post(f"/admin/auth/group/{address}", body).status_code == 403
        assert list(Group.objects.all()) == [group]
        assert not group.permissions.exists()

    def test_a_new_password_signs_out_whoever_had_the_old_one(self, boss: Client) -> None:
        player = PlayerFactory()
        family = families.id_of(families.start(player))
        boss.post(f"/admin/accounts/player/{player.pk}/password/", {"password1": PASSWORD, "password2": PASSWORD})
        assert not families.alive().filter(public_id=family).exists()

    def test_passwords_are_turned_off_and_not_emptied(self, boss: Client) -> None:
        player = Player.objects.create_user("xiaofu", PASSWORD)
        page, off = f"/admin/accounts/player/{player.pk}/password/", {"usable_password": "false"}
        # Without the button that says so nothing is done, and nothing goes on record.
        boss.post(page, off)
        assert not AuditEntry.objects.filter(action="player.password_set").exists()
        boss.post(page, {**off, "unset-password": "Disable"})
        player.refresh_from_db()
        assert not player.has_usable_password() and not player.check_password("")
        assert AuditEntry.objects.get(action="player.password_set").subject_id == player.pk

    def test_whose_password_was_set_is_on_record_however_the_address_spells_it(self, boss: Client) -> None:
        player = PlayerFactory(pk=4711)
        # The admin takes _5F for an underscore, and Python an underscore between digits for nothing.
        boss.post("/admin/accounts/player/47_5F11/password/", {"password1": PASSWORD, "password2": PASSWORD})
        player.refresh_from_db()
        assert player.check_password(PASSWORD)
        assert AuditEntry.objects.get(action="player.password_set").subject_id == player.pk

    def test_one_s_own_password_is_one_column_too(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        clerk = Player.objects.create_user("clerk", PASSWORD, is_staff=True)
        client = signed_in(clerk)
        original = Player.save

        def save_late(self: Player, *args: Any, **fields: Any) -> None:
            Player.objects.filter(pk=self.pk).update(nickname="Fu")
            original(self, *args, **fields)

        monkeypatch.setattr(Player, "save", save_late)
        changed = {"old_password": PASSWORD, "new_password1": f"{PASSWORD}-new", "new_password2": f"{PASSWORD}-new"}
        assert client.get("/admin/password_change/").status_code == 200
        response = client.post("/admin/password_change/", changed)
        assert response.url == "/admin/password_change/done/"
        assert client.get(response.url).status_code == 200
        clerk.refresh_from_db()
        assert clerk.nickname == "Fu"
        assert clerk.check_password(f"{PASSWORD}-new")
        assert AuditEntry.objects.filter(action="player.password_set", actor=clerk, subject_id=clerk.pk).exists()

    def test_staff_cannot_hand_out_rights(self, db: None) -> None:
        clerk, friend = member_of_staff("accounts.change_player"), PlayerFactory(nickname="")
        body = {"nickname": "Fu", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
        assert signed_in(clerk).post(page(friend), body).status_code == 302
        friend.refresh_from_db()
        assert (friend.nickname, friend.is_staff, friend.is_superuser) == ("Fu", False, False)

    def test_staff_cannot_take_a_colleague_over(self, db: None) -> None:
        """Whoever may set a superuser's password is one."""
        boss = PlayerFactory(is_staff=True, is_superuser=True)
        clerk = signed_in(member_of_staff("accounts.change_player"))
        body = {"password1": PASSWORD, "password2": PASSWORD}
        assert clerk.post(f"/admin/accounts/player/{boss.pk}/password/", body).status_code == 403
        assert clerk.post(page(boss), {"nickname": "Fool"}).status_code == 403
        boss.refresh_from_db()
        assert boss.is_active
        assert not boss.check_password(PASSWORD)

    def test_nobody_is_added(self, boss: Client) -> None:
        assert boss.get("/admin/accounts/player/add/").status_code == 403


class TestSettlements:
    def press(self, client: Client, run: Settlement, button: str) -> int:
        return client.post(f"/admin/redpackets/settlement/{run.pk}/{button}/").status_code

    def test_pauses_and_resumes(self, boss: Client) -> None:
        run = SettlementFactory()
        assert self.press(boss, run, "pause") == 302
        run.refresh_from_db()
        assert run.paused_at
        assert "resumption" in boss.get(f"/admin/redpackets/settlement/{run.pk}/change/").content.decode()
        self.press(boss, run, "resumption")
        run.refresh_from_db()
        assert run.paused_at is None

    def test_needs_the_permission(self, db: None) -> None:
        run = SettlementFactory()
        watcher = signed_in(member_of_staff("redpackets.view_settlement"))
        assert "/pause/" not in watcher.get(f"/admin/redpackets/settlement/{run.pk}/change/").content.decode()
        assert self.press(watcher, run, "pause") == 403
        clerk = signed_in(member_of_staff("redpackets.view_settlement", "redpackets.operate_settlement"))
        assert self.press(clerk, run, "pause") == 302

    def test_missing_one(self, boss: Client) -> None:
        assert boss.post("/admin/redpackets/settlement/999999/pause/", follow=True).status_code == 200
