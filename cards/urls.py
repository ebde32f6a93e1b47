from django.urls import path

from cards import views

urlpatterns = [
    path("campaigns/<slug:slug>/kinds", views.Kinds.as_view()),
    path("campaigns/<slug:slug>/fairness", views.Fairness.as_view()),
    path("campaigns/<slug:slug>/kinds/<slug:kind>/issues", views.Issues.as_view()),
    path("campaigns/<slug:slug>/hand", views.Hand.as_view()),
    path("campaigns/<slug:slug>/draws", views.Draws.as_view()),
    path("campaigns/<slug:slug>/scans", views.Scans.as_view()),
    path("campaigns/<slug:slug>/check-ins", views.CheckIns.as_view()),
    path("campaigns/<slug:slug>/referrals", views.Referrals.as_view()),
    path("campaigns/<slug:slug>/trades", views.Trades.as_view()),
    path("trades/<uuid:trade_id>", views.Trade.as_view()),
]
