"""What adding, and altering, a field of a Django model does to its column.

Which operation brings the field is left to `django_operations`.
Source: https://docs.djangoproject.com/en/stable/ref/models/fields/, …/topics/migrations/.
"""

from __future__ import annotations

from typing import Optional

from rollback_guard.release.migrations.model import Effect, Step
from rollback_guard.release.migrations.python_operators import alike
from rollback_guard.release.migrations.python_values import Arguments, Made, Opaque, Ref, Value, words

Steps = tuple[Step, ...]
# What a field says to forms, to Python and to people, and not to the database.
_TOLD = words(
    """
    auto_created auto_now auto_now_add blank choices default editable error_messages help_text limit_choices_to
    on_delete parent_link related_name related_query_name serialize storage swappable symmetrical
    unique_for_date unique_for_month unique_for_year upload_to validators verbose_name encoder decoder protocol
    height_field width_field path match recursive allow_files allow_folders
    """
)
_JUDGED = frozenset(
    [
        "null",
        "unique",
        "db_index",
        "primary_key",
        "db_column",
        "db_comment",
        "db_default",
        "db_collation",
        "db_constraint",
        "max_length",
        "max_digits",
        "decimal_places",
    ]
)
_RANK = {
    "SmallIntegerField": ("integer", 2),
    "IntegerField": ("integer", 4),
    "BigIntegerField": ("integer", 8),
    "PositiveSmallIntegerField": ("positive", 2),
    "PositiveIntegerField": ("positive", 4),
    "PositiveBigIntegerField": ("positive", 8),
    "SmallAutoField": ("auto", 2),
    "AutoField": ("auto", 4),
    "BigAutoField": ("auto", 8),
}
_ENDLESS = 1 << 62
_TEXTS = {
    "CharField": _ENDLESS,
    "SlugField": 50,
    "EmailField": 254,
    "URLField": 200,
    "FileField": 100,
    "ImageField": 100,
    "FilePathField": 100,
    "TextField": _ENDLESS,
}
_SAME = {"NullBooleanField": "BooleanField", "OneToOneField": "ForeignKey"}
_RELATIONS = ("ForeignKey", "OneToOneField", "ManyToManyField")
_NO_COLUMN = ("GenericForeignKey", "GenericRelation")


def kind_of(field: Value) -> str:
    """The name of a field's class."""
    return field.target.last if isinstance(field, Made) and isinstance(field.target, Ref) else ""


def has_column(field: Value) -> bool:
    """Whether the database has anything for a field."""
    return kind_of(field) not in _NO_COLUMN


def add_field(where: str, field: Value) -> Steps:
    """A field is added: older code inserts rows without it, and Django leaves no default in the database."""
    what = f"adds field {where}"
    kind = kind_of(field)
    if not isinstance(field, Made) or not kind:
        return (_step("change", f"{what}, which is not written out"),)
    given = field.arguments
    if kind in ("ManyToManyField", "GeneratedField"):
        return (_step("expand", what),)
    if _true(given, "primary_key") or kind.endswith("AutoField"):
        return (_step("change", f"{what}, a primary key"),)
    if given.get(None, "null", kind == "NullBooleanField") is True:
        return (_step("expand", what),)
    if given.has("db_default") and not isinstance(given.get(None, "db_default"), Opaque):
        unique = _true(given, "unique") or kind == "OneToOneField"
        return (_step("change", f"{what}, unique with one default") if unique else _step("expand", what),)
    return (_step("change", f"{what}, NOT NULL without a default in the database"),)


def alter_field(where: str, old: Optional[Value], new: Value) -> Steps:
    """A field becomes another: only what the database is told of counts."""
    if old is None:
        return (_step("destroy", f"alters field {where}; what it was is not known"),)
    if not isinstance(old, Made) or not isinstance(new, Made) or not (old.arguments.whole and new.arguments.whole):
        return (_step("destroy", f"alters field {where} in a way that is not written out"),)
    steps: list[Step] = []
    if not _same_kind(old, new):
        return (_step("destroy", f"changes field {where} from {kind_of(old)} to {kind_of(new)}"),)
    if not _fits(old, new):
        steps.append(_step("destroy", f"narrows field {where}"))
    elif _size(old) != _size(new) or _stored(old) != _stored(new):
        steps.append(_step("change", f"widens field {where}"))
    steps += _null(where, old, new)
    steps += _flags(where, old.arguments, new.arguments)
    relation = kind_of(new) in _RELATIONS
    told = 2 if relation else 1 if isinstance(new.target, Ref) and _is_django(new.target) else 0
    if not alike([*old.arguments.positional[told:]], [*new.arguments.positional[told:]]):
        steps.append(_step("destroy", f"changes arguments of field {where} that are given by place"))
    for name in dict.fromkeys(key for key, _ in (*old.arguments.named, *new.arguments.named)):
        judged = name in _TOLD or name in _JUDGED or (relation and name == "to")
        if not judged and not _equal(old.arguments, new.arguments, name):
            steps.append(_step("destroy", f"changes {name} of field {where}"))
    return tuple(steps)


def _same_kind(old: Made, new: Made) -> bool:
    """Whether two fields are of one family, between whose members a value stays what it is."""
    before, after = kind_of(old), kind_of(new)
    if not before or not after:
        return False
    if before in _RELATIONS or after in _RELATIONS:
        if _SAME.get(before, before) != _SAME.get(after, after):
            return False
        return alike(_target(old), _target(new))
    if before in _RANK and after in _RANK:
        return _RANK[before][0] == _RANK[after][0] or "auto" not in (_RANK[before][0], _RANK[after][0])
    if before in _TEXTS and after in _TEXTS:
        return True
    if _SAME.get(before, before) == _SAME.get(after, after) == "BooleanField":
        return True
    return before == after and (before.endswith("JSONField") or alike(old.target, new.target))


def _stored(field: Made) -> str:
    """What a column is for a field: one name where only whether it is NULL differs."""
    kind = kind_of(field)
    return "BooleanField" if kind == "NullBooleanField" else kind


def _is_django(field: Ref) -> bool:
    return field.path.startswith("django.")


def _target(field: Made) -> Value:
    target = field.arguments.get(0, "to")
    return target.lower() if isinstance(target, str) else target


def _fits(old: Made, new: Made) -> bool:
    before, after = _size(old), _size(new)
    return len(before) == len(after) and all(more >= less for less, more in zip(before, after, strict=True))


def _size(field: Made) -> tuple[int, ...]:
    """How much a field holds, in numbers that can be compared with those of its family."""
    kind, given = kind_of(field), field.arguments
    if kind in _RANK:
        return (_RANK[kind][1], 0 if _RANK[kind][0] == "positive" else 1)
    if kind == "TextField":
        return (_ENDLESS,)
    if kind in _TEXTS or given.has("max_length"):
        length = given.get(None, "max_length", _TEXTS.get(kind, _ENDLESS))
        return (length,) if isinstance(length, int) else (_ENDLESS,) if length is None else (0, 0, 0)
    if given.has("max_digits") or given.has("decimal_places"):
        digits, places = given.get(None, "max_digits"), given.get(None, "decimal_places", 0)
        if isinstance(digits, int) and isinstance(places, int):
            return (digits - places, places)
        return () if digits is None and places is None else (0, 0, 0)
    return ()


def _null(where: str, old: Made, new: Made) -> Steps:
    before = old.arguments.get(None, "null", kind_of(old) == "NullBooleanField")
    after = new.arguments.get(None, "null", kind_of(new) == "NullBooleanField")
    if before == after and isinstance(before, bool):
        return ()
    if after is True:
        return (_step("change", f"drops NOT NULL of field {where}"),)
    if new.arguments.has("default") or new.arguments.has("db_default"):
        return (_step("destroy", f"sets NOT NULL of field {where} and overwrites NULLs with its default"),)
    return (_step("change", f"sets NOT NULL of field {where}"),)


def _flags(where: str, old: Arguments, new: Arguments) -> Steps:
    steps: list[Step] = []
    for name in ("unique", "db_index", "primary_key", "db_column", "db_default", "db_collation", "db_constraint"):
        if _equal(old, new, name):
            continue
        if name == "primary_key":
            steps.append(_step("destroy", f"changes the primary key: field {where}"))
        elif name == "db_index" and new.get(None, name) is True:
            steps.append(_step("expand", f"adds an index to field {where}"))
        else:
            steps.append(_step("change", f"changes {name} of field {where}"))
    if not _equal(old, new, "db_comment"):
        steps.append(_step("expand", f"comments on field {where}"))
    return tuple(steps)


def _equal(old: Arguments, new: Arguments, name: str) -> bool:
    before, after = old.get(None, name), new.get(None, name)
    if name in ("unique", "db_index", "primary_key") and before in (None, False) and after in (None, False):
        return True
    return alike(before, after)


def _true(given: Arguments, name: str) -> bool:
    return given.get(None, name, False) not in (False, None)


def _step(effect: Effect, what: str) -> Step:
    return Step(effect=effect, what=what)
