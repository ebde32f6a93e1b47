from django.urls import path

from fortunes import views

urlpatterns = [
    path("campaigns", views.CampaignList.as_view()),
    path("campaigns/<slug:slug>", views.CampaignDetail.as_view()),
    path("campaigns/<slug:slug>/rules", views.CampaignRules.as_view()),
    path("campaigns/<slug:slug>/broadcasts", views.Broadcasts.as_view()),
    path("events", views.Events.as_view()),
]
