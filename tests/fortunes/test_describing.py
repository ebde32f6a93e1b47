"""What is told of an error holds nothing of a person."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import tokens
from fortunes import describing
from tests.factories.accounts import PlayerFactory


@pytest.mark.parametrize(
    "phone",
    ["+8613800138000", "13800138000", "138 0013 8000", "138-0013-8000", "+86 138 0013 8000", "008613800138000",
     "+44 7911 123456", "07911 123456", "+1 (650) 253-0000"],
)  # fmt: skip
def test_phones_are_not_told(phone: str) -> None:
    told = describing.redacted(f"can't reach {phone}, giving up")
    assert not [part for part in phone.split() if len(part) > 3 and part in told]
    assert told.startswith("can't reach ")
    assert told.endswith(", giving up")


@pytest.mark.parametrize(
    "text",
    ["Authorization: Bearer abc.def", '{"password": "swordfish"}', "password='swordfish'", "code=123456",
     "phone: 12345", "postgres://app:swordfish@db/fortunes", "note: swordfish",
     "bearer swordfish", "nickname=swordfish"],
)  # fmt: skip
def test_fields_that_are_secret_are_not_told(text: str) -> None:
    told = describing.redacted(text)
    assert not [secret for secret in ("abc", "swordfish", "123456", "12345") if secret in told]


@pytest.mark.parametrize(
    "text",
    ["settlement 17 is overdue and stays in weigh", "Σ 50000000000 of 2026-11-22 03:46:43+00:00", "port 54321",
     "POST /api/v1/campaigns/{slug}/draws 201 0.003", "12 of 34 rows in 1.234567 s",
     "canceling statement due to timeout", "redpackets.tasks.settle_due raised unexpected"],
)  # fmt: skip
def test_the_rest_is(text: str) -> None:
    assert describing.redacted(text) == text


@pytest.mark.django_db
def test_tokens_are_not_told() -> None:
    token = tokens.issue(PlayerFactory.create()).token
    told = describing.redacted(f"what is {token}?")
    assert not [part for part in token.split(".") if part in told]


@pytest.mark.django_db
def test_of_a_row_that_the_database_refuses_only_the_rule_is_told() -> None:
    alice = PlayerFactory.create(username="swordfish")
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_player SET username = 'swordfish', is_active = NULL WHERE id = %s", [alice.pk])
    assert "swordfish" in str(caught.value)
    told = describing.of(caught.value)
    assert told.startswith('IntegrityError [23502]: null value in column "is_active"')
    assert "swordfish" not in told


def test_what_could_not_be_read_is_not_told() -> None:
    with pytest.raises(ValueError, match="swordfish") as caught:
        int("swordfish")
    assert describing.of(caught.value) == "ValueError: invalid literal for int() with base 10: '…'"


def test_an_error_without_words_is_its_class() -> None:
    assert describing.of(ZeroDivisionError()) == "ZeroDivisionError"
    assert len(describing.of(ValueError("so " * 900))) == 500
