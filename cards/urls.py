from django.urls import path

from cards import tradeviews, views

urlpatterns = [
    path("campaigns/<slug:slug>/kinds", views.Kinds.as_view()),
    path("campaigns/<slug:slug>/fairness", views.Fairness.as_view()),
    path("campaigns/<slug:slug>/kinds/<slug:kind>/issues", views.Issues.as_view()),
    path("campaigns/<slug:slug>/hand", views.Hand.as_view()),
    path("campaigns/<slug:slug>/draws", views.Draws.as_view()),
    path("campaigns/<slug:slug>/scans", views.Scans.as_view()),
    path("campaigns/<slug:slug>/check-ins", views.CheckIns.as_view()),
    path("campaigns/<slug:slug>/referrals", views.Referrals.as_view()),
    path("campaigns/<slug:slug>/trades", tradeviews.Trades.as_view()),
    path("campaigns/<slug:slug>/suggestions", views.Suggestions.as_view()),
    path("campaigns/<slug:slug>/ranking", views.Ranking.as_view()),
    path("campaigns/<slug:slug>/history", tradeviews.History.as_view()),
    path("campaigns/<slug:slug>/plays", views.Plays.as_view()),
    path("campaigns/<slug:slug>/conversions", views.Conversions.as_view()),
    path("campaigns/<slug:slug>/steals", views.Steals.as_view()),
    path("campaigns/<slug:slug>/wilds", views.Wilds.as_view()),
    path("campaigns/<slug:slug>/copies", views.Copies.as_view()),
    path("trades/<uuid:trade_id>", tradeviews.Trade.as_view()),
    path("trades/<uuid:trade_id>/acceptance", tradeviews.Acceptance.as_view()),
    path("trades/<uuid:trade_id>/refusal", tradeviews.Refusal.as_view()),
    path("trades/<uuid:trade_id>/cancellation", tradeviews.Cancellation.as_view()),
    path("links/<str:code>", tradeviews.Link.as_view()),
    path("links/<str:code>/acceptance", tradeviews.LinkAcceptance.as_view()),
]
