"""Addresses under /api/v1/."""

from django.urls import path

from redpackets import views

urlpatterns = [
    path("campaigns/<slug:slug>/share", views.Share.as_view()),
    path("campaigns/<slug:slug>/settlement", views.Settlement.as_view()),
    path("campaigns/<slug:slug>/settlement/manifest", views.Manifest.as_view()),
    path("campaigns/<slug:slug>/packet", views.Packet.as_view()),
    path("campaigns/<slug:slug>/packet/opening", views.PacketOpening.as_view()),
    path("wallet", views.Wallet.as_view()),
    path("wallet/entries", views.WalletEntries.as_view()),
]
