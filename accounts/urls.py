"""Addresses under /api/v1/."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("players", views.Players.as_view()),
    path("sessions", views.Sessions.as_view()),
    path("sessions/phone", views.PhoneSessions.as_view()),
    path("sessions/federated", views.FederatedSessions.as_view()),
    path("sessions/refresh", views.Refreshing.as_view()),
    path("sessions/current", views.CurrentSession.as_view()),
    path("sessions/<uuid:session>", views.Session.as_view()),
    path("phone-codes", views.PhoneCodes.as_view()),
    path("me", views.Me.as_view()),
    path("me/export", views.Export.as_view()),
    path("me/notifications", views.Notifications.as_view()),
    path("invitations", views.Invitations.as_view()),
    path("invitations/<str:code>", views.Invitation.as_view()),
    path("invitations/<str:code>/acceptance", views.InvitationAcceptance.as_view()),
    path("friendships", views.Friendships.as_view()),
    path("friendships/presence", views.Presence.as_view()),
    path("friendships/<uuid:player>", views.Friendship.as_view()),
    path("friendships/<uuid:player>/acceptance", views.Acceptance.as_view()),
    path("friendships/<uuid:player>/block", views.Block.as_view()),
]
