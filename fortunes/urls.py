from django.urls import path, register_converter
from django.urls.converters import IntConverter

from fortunes import views


class SmallInteger(IntConverter):
    """A version number: more digits than the database's integers have are no address of ours."""

    regex = "[0-9]{1,9}"


register_converter(SmallInteger, "smallint")

urlpatterns = [
    path("campaigns", views.CampaignList.as_view()),
    path("campaigns/<slug:slug>", views.CampaignDetail.as_view()),
    path("campaigns/<slug:slug>/rules", views.CampaignRules.as_view()),
    path("campaigns/<slug:slug>/rules/<smallint:version>", views.RulebookVersion.as_view()),
    path("campaigns/<slug:slug>/broadcasts", views.Broadcasts.as_view()),
    path("events", views.Events.as_view()),
]
