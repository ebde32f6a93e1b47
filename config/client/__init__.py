"""The API as an app would speak it, over REST and the socket. It knows nothing of Django (docs/mobile.md)."""
