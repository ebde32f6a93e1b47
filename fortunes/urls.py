from django.urls import path, register_converter
from django.urls.converters import IntConverter

from fortunes import ballotviews, talkviews, views, voteviews


class SmallInteger(IntConverter):
    """A version number: more digits than the database's integers have are no address of ours."""

    regex = "[0-9]{1,9}"


register_converter(SmallInteger, "smallint")

urlpatterns = [
    path("campaigns", views.CampaignList.as_view()),
    path("campaigns/<slug:slug>", views.CampaignDetail.as_view()),
    path("campaigns/<slug:slug>/rules", views.CampaignRules.as_view()),
    path("campaigns/<slug:slug>/rulebooks", views.Rulebooks.as_view()),
    path("campaigns/<slug:slug>/rulebooks/<smallint:version>", views.RulebookVersion.as_view()),
    path("campaigns/<slug:slug>/amendments", views.Amendments.as_view()),
    path("campaigns/<slug:slug>/broadcasts", views.Broadcasts.as_view()),
    path("campaigns/<slug:slug>/announcements", talkviews.Announcements.as_view()),
    path("campaigns/<slug:slug>/proposals", voteviews.Proposals.as_view()),
    path("proposals/<uuid:proposal_id>", voteviews.Proposal.as_view()),
    path("proposals/<uuid:proposal_id>/ballot", ballotviews.Ballot.as_view()),
    path("proposals/<uuid:proposal_id>/ballots", ballotviews.Ballots.as_view()),
    path("proposals/<uuid:proposal_id>/comments", talkviews.Comments.as_view()),
    path("comments/<uuid:comment_id>", talkviews.Comment.as_view()),
    path("events", views.Events.as_view()),
]
