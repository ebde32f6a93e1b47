"""The admin's sign-in: as many wrong passwords as over the API, and the same cost."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from unfold.forms import AuthenticationForm

from accounts import addresses
from accounts.actions import sessions
from accounts.errors import LockedOut, WrongCredentials
from accounts.models import Player
from fortunes.errors import Busy, DomainError


class PasswordBackend(ModelBackend):
    """Judges passwords as `sessions.sign_in` does, with the same counts."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Player | None:
        if username is None or password is None:
            return None
        try:
            network = addresses.network(request.META.get("REMOTE_ADDR", "")) if request else ""
            return sessions.judge(username=username, password=password, network=network)
        except WrongCredentials:
            return None
        except (LockedOut, Busy) as refused:
            if request is not None:
                request.refused_sign_in = refused  # type: ignore[attr-defined]
            # Django asks no other backend then.
            raise PermissionDenied from refused


class StaffSignInForm(AuthenticationForm):
    """Tells staff that they are locked out; they would try on otherwise."""

    def get_invalid_login_error(self) -> ValidationError:
        refused: DomainError | None = getattr(self.request, "refused_sign_in", None)
        if refused is None:
            error: ValidationError = super().get_invalid_login_error()
            return error
        return ValidationError(refused.title, code=refused.code)  # type: ignore[arg-type]
