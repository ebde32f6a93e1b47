"""What the page's scripts say, in the reader's language; the page's own text is in its template."""

from __future__ import annotations

from django.utils.translation import gettext as _


def said() -> dict[str, str]:
    """Sentences by the key under which the scripts know them. {names} are filled in by the scripts."""
    return {**_season(), **_cards(), **_people(), **_packet(), **_votes()}


def _season() -> dict[str, str]:
    return {
        "title": _("Five Fortunes"),
        "offline": _("The server can't be reached. What you did is kept, and tried again."),
        "trouble": _("Something went wrong. Please try again."),
        "opens-in": _("Collecting begins in"),
        "closes-in": _("Collecting ends in"),
        "reveal-in": _("The packets open in"),
        "revealed": _("The packets are open"),
        "schedule": _("Collect until {close}. The packets open {reveal}."),
        "share.one.live": _("1 set is complete: about {each} if it closed now"),
        "share.many.live": _("{count} sets are complete: about {each} each if it closed now"),
        "share.one.closed": _("1 set was complete: about {each}"),
        "share.many.closed": _("{count} sets were complete: about {each} each"),
        "share.none": _("No set is complete yet. Yours could be the first."),
        "share.under-a-fen": _("less than a fen"),
    }


def _cards() -> dict[str, str]:
    return {
        "odds": _("odds {percent}"),
        "held": _("{name}: you have {count}"),
        "progress": _("{have} of {all} kinds"),
        "complete": _("Your set is complete. You share in the pool!"),
        "drawn": _("You drew {name}"),
        "credited": _("{name} for your invitation: your friend has drawn a first card"),
        "granted": _("{name} for you, from our support"),
        "left": _("Scans left: {today} today, {all} in all"),
        "check-in.do": _("Check in for today's card"),
        "check-in.done": _("Checked in today"),
        "and": _(" and "),
        "give.to": _("Give {name} a card"),
        "give.which": _("Which card for {name}?"),
        "give.choose": _("Choose a card first."),
        "gift.sent": _("{card} is with {name} now"),
        "gift.received": _("{name} gave you {card}"),
    }


def _people() -> dict[str, str]:
    return {
        "guest": _("Guest {number}"),
        "somebody": _("Somebody"),
        "friend.accept": _("Accept {name} as a friend"),
        "friend.decline": _("Decline {name}"),
        "friend.asking": _("has not answered yet"),
        "friend.new": _("{name} and you are friends now"),
        "invited": _("{name} invites you to collect the five fortunes together."),
        "copied": _("Copied."),
        "code.sent": _("A code is on its way to your phone."),
    }


def _packet() -> dict[str, str]:
    return {
        "packet.counting": _("The sets are being counted."),
        "packet.none": _("No packet this time: your set was not complete at the deadline."),
        "packet.sealed": _("Your packet is sealed. It opens together with everybody's."),
        "packet.ready": _("Your packet is ready."),
        "packet.opened": _("Good fortune for the new year!"),
        "balance": _("Your wallet: {amount}"),
    }


def _votes() -> dict[str, str]:
    return {
        "announced": _("There is news from the organiser."),
        "rules-changed": _("The rules have changed."),
        "converted": _("The rules have removed {name}. What you had of it, {count}, became {became}"),
        "vote.scheduled": _("Voting has not begun"),
        "vote.open": _("Open until {close}"),
        "vote.counting": _("The ballots are being counted"),
        "vote.cancelled": _("Cancelled"),
        "vote.adopted": _("Decided: {name}"),
        "vote.no-quorum": _("Too few ballots: nothing changes"),
        "vote.below-threshold": _("No majority was large enough: nothing changes"),
        "vote.tie": _("A tie: nothing changes"),
        "vote.impossible": _("Decided for {name}, which is not possible any more: nothing changes"),
        "vote.cast": _("Ballots: {count}"),
        "vote.count": _("{name}: ballots {count}"),
        "vote.own": _("You voted: {name}"),
        "vote.choose": _("Choose an option first."),
        "vote.thanks": _("Your ballot counts."),
        "comment.organiser": _("The organiser"),
    }
