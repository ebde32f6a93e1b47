"""Players, how they sign in, their friendships, and what they are told while they are away."""

from accounts.models.people import (
    FRIEND_LIMIT,
    Ban,
    FederatedIdentity,
    Friendship,
    InvitationLink,
    Lockout,
    Message,
    Phone,
    PhoneCode,
    Player,
    PlayerManager,
    Referral,
    RefreshFamily,
    SpentToken,
)
from accounts.models.pushes import NotificationSettings, Push, PushHost

__all__ = [
    "FRIEND_LIMIT",
    "Ban",
    "FederatedIdentity",
    "Friendship",
    "InvitationLink",
    "Lockout",
    "Message",
    "NotificationSettings",
    "Phone",
    "PhoneCode",
    "Player",
    "PlayerManager",
    "Push",
    "PushHost",
    "Referral",
    "RefreshFamily",
    "SpentToken",
]
