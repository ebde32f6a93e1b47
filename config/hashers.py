"""How passwords are stored."""

from django.conf import settings
from django.contrib.auth import hashers


class PBKDF2(hashers.PBKDF2PasswordHasher):
    """Django's, with the settings' number of iterations. Passwords stored with another are stored anew at sign-in."""

    iterations = settings.PASSWORD_ITERATIONS
