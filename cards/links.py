"""Where the links of trades are spread. Pure. Their codes are spelt like those of invitations."""

from __future__ import annotations

# Who spreads a link for a company has a name of their own.
CHANNEL_PATTERN = r"^(?:wechat|weibo|qr|kol:[a-z0-9_-]{1,28})\Z"
