"""Signing in with a host app's token, over the API."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from accounts.models import FederatedIdentity, SpentToken


def sign_in(token: str, **others: Any) -> Any:
    return APIClient().post("/api/v1/sessions/federated", {"token": token, **others}, format="json")


def refused(token: str, code: str, status: int = 401) -> Any:
    answer = sign_in(token)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not FederatedIdentity.objects.exists()
    assert not SpentToken.objects.exists()
    return answer
