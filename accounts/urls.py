"""Addresses under /api/v1/."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("players", views.Players.as_view()),
    path("sessions", views.Sessions.as_view()),
    path("sessions/refresh", views.Refreshing.as_view()),
    path("me", views.Me.as_view()),
    path("friendships", views.Friendships.as_view()),
    path("friendships/<uuid:player>", views.Friendship.as_view()),
    path("friendships/<uuid:player>/acceptance", views.Acceptance.as_view()),
    path("friendships/<uuid:player>/block", views.Block.as_view()),
]
