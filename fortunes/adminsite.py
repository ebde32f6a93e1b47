"""What the admin of every app shares: searches and lists that stay fast on tables that grow, and read-only pages.

Lists are in the order of an index, newest first, can't be sorted otherwise, and search by indexed columns only;
`tests/admin` reads their plans. What needs a durable transaction is a button: a form that posts to an address of its
own, because the admin's own POSTs already run inside a transaction.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import reduce
from typing import Any, NamedTuple, cast

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import OperationalError, connection, models
from django.db.models import Q, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.functional import cached_property, lazy
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from fortunes import amounts, audit, naming
from fortunes.errors import DomainError

Search = Callable[[str], Q | None]

PER_PAGE = 50
# Rows that are counted, and that can be paged through: OFFSET reads all that it skips. Older ones are searched for.
REACH = 10_000
MAX_WORDS = 5
# The names that Django derives from columns without one of their own; it knows them in English only.
DERIVED_NAMES = {
    "campaign": gettext_lazy("campaign"),
    "created at": gettext_lazy("created at"),
    "decided by": gettext_lazy("decided by"),
    "friend": gettext_lazy("friend"),
    "giver": gettext_lazy("giver"),
    "id": gettext_lazy("id"),
    "invited": gettext_lazy("invited player"),
    "inviter": gettext_lazy("inviter"),
    "link": gettext_lazy("link"),
    "player": gettext_lazy("player"),
    "pool": gettext_lazy("pool"),
    "proposer": gettext_lazy("proposer"),
    "public id": gettext_lazy("public id"),
    "receiver": gettext_lazy("receiver"),
    "recipient": gettext_lazy("recipient"),
    "settlement": gettext_lazy("settlement"),
    "trade": gettext_lazy("trade"),
}
UNIT = re.compile(r"\s*[(（][^)）]*[)）]$")
QUERY_CANCELED = "57014"
LOCK_NOT_AVAILABLE = "55P03"


def by_number(column: str = "pk") -> Search:
    """A number is looked for in `column`."""

    def search(word: str) -> Q | None:
        number = naming.number(word)
        return None if number is None else Q(**{column: number})

    return search


def by_public_id(column: str = "public_id") -> Search:
    """A UUID is looked for in `column`."""

    def search(word: str) -> Q | None:
        public_id = naming.public_id(word)
        return Q(**{column: public_id}) if public_id else None

    return search


def by_text(column: str) -> Search:
    """The whole word is looked for in `column`."""
    return lambda word: Q(**{column: word})


def by_player(*columns: str) -> Search:
    """A player's username, public id or number is looked for in columns that hold player ids.

    The player is found first and by itself: an OR over two tables would use no index.
    """

    def search(word: str) -> Q | None:
        ids = naming.players(word)
        return reduce(operator.or_, (Q(**{f"{column}__in": ids}) for column in columns)) if ids else None

    return search


class EstimatingPaginator(Paginator):
    """Counts at most `REACH` rows; how many a longer unfiltered list has is PostgreSQL's estimate."""

    template_name = "fortunes/admin/pagination.html"

    @cached_property
    def count(self) -> int:
        estimate = self.estimate
        return estimate if estimate > REACH else self.counted

    @cached_property
    def estimate(self) -> int:
        """The rows of the whole table by the last ANALYZE; 0 if there was none, or if the list is filtered."""
        if self.object_list.query.where:  # type: ignore[attr-defined]
            return 0
        with connection.cursor() as cursor:
            table = self.object_list.model._meta.db_table  # type: ignore[attr-defined]
            cursor.execute("SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass(%s)", [table])
            row = cursor.fetchone()
        return int(row[0]) if row else 0

    @cached_property
    def counted(self) -> int:
        return self.object_list[: REACH + 1].count()  # type: ignore[attr-defined]

    @property
    def num_pages(self) -> int:
        return max(1, -(-min(self.count, REACH) // self.per_page))

    @property
    def size(self) -> str:
        """How long the list is, in words."""
        if self.estimate > REACH:
            return _("about %(count)s") % {"count": f"{self.estimate:,}"}
        return _("more than %(count)s") % {"count": f"{REACH:,}"} if self.count > REACH else str(self.count)


class IndexedChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """Here and not while the page is rendered, so that a query that takes too long can still be answered."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        if not (self.has_active_filters or self.query) or self.result_count > REACH:
            # The header then has no number of its own: it would say an estimate as if it were exact.
            self.full_result_count = self.result_count


class AuditedAdmin(ModelAdmin):
    """What is saved or deleted by the admin's own forms is audited, in their transaction: which columns, and of what
    gives rights the values too.
    """

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if form.changed_data or not change:
            told = {name: value for name in form.changed_data if (value := _tellable(form, name)) is not None}
            _record(request, form.instance, "changed" if change else "added", columns=form.changed_data, values=told)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        deleted = copy(obj)
        super().delete_model(request, obj)
        _record(request, deleted, "deleted")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        deleted = list(queryset)
        super().delete_queryset(request, queryset)
        for row in deleted:
            _record(request, row, "deleted")


def _tellable(form: Any, name: str) -> bool | list[int] | None:
    """A switch, or the ids of what was chosen; None for people's words."""
    value = form.cleaned_data.get(name)
    if isinstance(value, QuerySet):
        return sorted(row.pk for row in value)
    return value if isinstance(value, bool) else None


def _record(request: HttpRequest, row: models.Model, verb: str, **data: Any) -> None:
    meta = row._meta
    subject_id = row.pk if isinstance(row.pk, int) else None
    audit.record(
        actor=request.user.pk,
        action=f"{meta.model_name}.{verb}",
        subject=meta.label_lower,
        subject_id=subject_id,
        **data,
    )


class Button(NamedTuple):
    """On a row's page: it posts to an address that calls an action, or leads to a form that `asks` for more."""

    label: str
    url: str
    primary: bool = False
    asks: bool = False


class IndexedAdmin(AuditedAdmin):
    """Lists and searches by indexes. `search_by` are tried on each word of a search; one must match.

    `narrow_by` are filters for which no index has the rows in the list's order, so they are offered beside a search.
    """

    search_by: Sequence[Search] = ()
    narrow_by: Sequence[str] = ()
    search_help_text = gettext_lazy("Username or id")
    paginator = EstimatingPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = PER_PAGE
    list_max_show_all = PER_PAGE
    ordering = ("-pk",)
    sortable_by = ()

    def __init__(self, model: type[models.Model], admin_site: admin.AdminSite) -> None:
        _name_in_both_languages(model)
        super().__init__(model, admin_site)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[IndexedChangeList]:
        return IndexedChangeList

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Whether there is a search; what it looks at is in `search_by`."""
        return ("pk",) if self.search_by else ()

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        return (*self.list_filter, *(self.narrow_by if request.GET.get("q") else ()))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        for word in search_term.split()[:MAX_WORDS]:
            found = [q for search in self.search_by if (q := search(word)) is not None]
            queryset = queryset.filter(reduce(operator.or_, found)) if found else queryset.none()
        return queryset, False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        """Only the columns that were changed on the form: others may have moved on since it was read."""
        columns = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=[name for name in form.changed_data if name in columns] if change else None)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except OperationalError as error:
            if not request.GET or getattr(error.__cause__, "sqlstate", None) != QUERY_CANCELED:
                raise
            messages.warning(request, _("This search takes too long. Please narrow it down, for example to a player."))
            return redirect(request.path)


def _name_in_both_languages(model: type[models.Model]) -> None:
    """Columns and rows that have no name of their own get one that staff can read."""
    for field in model._meta.concrete_fields:
        field.verbose_name = DERIVED_NAMES.get(str(field.verbose_name), field.verbose_name)
    if model.__str__ is models.Model.__str__:
        model.add_to_class("__str__", lambda row: f"{row._meta.verbose_name} {row.pk}")


class ReadOnlyAdmin(IndexedAdmin):
    """Rows that are only looked at, also by superusers: history, and caches of history. Columns that are `unshown` say
    something to machines only; those that are `in_lines` are texts of several lines.
    """

    actions = None
    unshown: Sequence[str] = ()
    in_lines: Sequence[str] = ()
    change_form_outer_before_template = "fortunes/admin/buttons.html"

    def buttons(self, request: HttpRequest, row: Any) -> Sequence[Button]:
        """What this member of staff may do with the row."""
        return ()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        context["buttons"] = self.buttons(request, obj) if obj is not None else ()
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = (field for field in self.model._meta.concrete_fields if field.name not in self.unshown)
        return [_shown_by(field, _in_lines) if field.name in self.in_lines else shown(field) for field in fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)


def shown(field: models.Field) -> Any:
    """A column as the admin shows it: bytes as hexadecimal digits, JSON indented, fen as yuan, the rest as it is."""
    if isinstance(field, models.BinaryField):
        return _shown_by(field, lambda value: format_html("<code>{}</code>", bytes(value).hex()))
    if isinstance(field, models.JSONField):
        return _shown_by(field, indented)
    if field.name.endswith("_fen"):
        return _shown_by(field, amounts.yuan, lazy(_without_unit, str)(field.verbose_name))
    return field.name


def _without_unit(name: Any) -> str:
    """The name of an amount without the unit in which its column is kept."""
    return UNIT.sub("", str(name))


def indented(value: Any) -> str:
    return format_html('<pre class="whitespace-pre-wrap">{}</pre>', json.dumps(value, ensure_ascii=False, indent=2))


def _in_lines(text: str) -> str:
    return format_html('<div class="whitespace-pre-wrap">{}</div>', text)


def _shown_by(field: models.Field, show: Callable[[Any], str], name: Any = None) -> Callable[[Any], str]:
    @admin.display(description=name or field.verbose_name, empty_value="-")
    def column(row: Any) -> str:
        value = getattr(row, field.attname)
        return "-" if value is None else show(value)

    column.__name__ = field.name
    return column


@contextmanager
def refusals_told(request: HttpRequest) -> Iterator[None]:
    """A refusal inside is a message on the next page; so is a lock that somebody else keeps for too long."""
    with _refusals(lambda said: messages.error(request, said)):
        yield


@contextmanager
def refusals_shown(form: Form) -> Iterator[None]:
    """A refusal inside is an error of the form, which is shown again as it was typed; so is such a lock."""
    with _refusals(lambda said: form.add_error(None, said)):
        yield


@contextmanager
def _refusals(tell: Callable[[str], None]) -> Iterator[None]:
    try:
        yield
    except DomainError as refusal:
        tell(refusal_text(refusal))
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) not in (LOCK_NOT_AVAILABLE, QUERY_CANCELED):
            raise
        tell(_("Somebody else is at it right now. Please try again."))


def who(request: HttpRequest) -> int:
    """The id of the member of staff who asks: on these pages there always is one."""
    return cast(int, request.user.pk)


def back(request: HttpRequest, otherwise: str) -> HttpResponseRedirect:
    """To the page on which the button was pressed, if it is one of ours, or to the one `otherwise` named."""
    came_from = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(came_from if ours else otherwise)


def refusal_text(refusal: DomainError) -> str:
    return f"{refusal.title} ({refusal.detail})" if refusal.detail else str(refusal.title)
