"""How passwords are stored."""

from django.conf import settings
from django.contrib.auth import hashers


class PBKDF2(hashers.PBKDF2PasswordHasher):
    """Django's, with the settings' number of iterations. A password stored with another one is stored anew at sign-in."""

    iterations = settings.PASSWORD_ITERATIONS
