"""Our templates say what Jinja itself says of them, and escape as much."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader, Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, UndefinedError
from markupsafe import Markup

from publish.web.frame import Frame, clean, equip
from publish.web.templating import Templates

HOSTILE = "\u202e<script>'\"&"
GIVEN: dict[str, Any] = {
    "row": {"name": HOSTILE, "items": [HOSTILE, Markup("<b>"), 3, None], "get": "no method", "none": None, "deep": {"n": 1}},
    "add": lambda *values, **named: f"<{values}{named}>",
    "safe": lambda text: Markup("<i>{}</i>").format(text),
}
PARTS = """{% macro two(a, b='&') %}<p>{{ a }}{{ b }}{{ caller() if caller is defined }}</p>{% endmacro %}
{% macro more() %}{{ varargs|join('<') }}{{ kwargs|length }}{% endmacro %}"""
BASE = "{% import 'parts' as parts %}<title>{% block title %}{{ row.name }}{% endblock %}</title>{{ self.title()|striptags }}{% block body %}<{% endblock %}"


def _environment(kind: Callable[..., Environment], text: str) -> Environment:
    templates = {"parts": PARTS, "base": BASE, "page": "{% extends 'base' %}" + text}
    made = kind(loader=DictLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.finalize = clean
    return made


@pytest.mark.parametrize(
    "inside",
    [
        "{{ row.name }}{{ row['name'] }}{{ row.none }}{{ row.deep.n }}{{ 3 }}{{ '<' }}",
        "{{ row['items'] }}{% for key, value in row.items() %}{{ key }}={{ value }}{% endfor %}{{ row.get('name') }}",
        "{% for one in row['items'] %}{{ loop.index }}{{ one }}{{ loop.cycle('a', 'b') }}{% else %}none{% endfor %}",
        "{{ parts.two(row.name) }}{{ parts.two('<', b=safe(row.name)) }}{{ parts.two(parts.two(1)) }}",
        "{% call parts.two(1) %}{{ row.name }}{% endcall %}{% call(x) parts.two(1) %}{% endcall %}",
        "{{ parts.more(1, row.name, x=2) }}{{ add(1, row.name, self=2) }}{{ safe(row.name) ~ row.name }}",
        "{% set kept %}<b>{{ row.name }}{% endset %}{{ kept }}{% set one, two = row.name, safe('<') %}{{ one }}{{ two }}",
        "{{ super() }}{{ '%s' % row.name }}{{ row.name|upper }}{{ row.name|e }}{{ row.name|safe }}{{ dict(a=1).a }}",
    ],
)
def test_a_template_says_what_it_says_to_jinja(inside: str) -> None:
    text = f"{{% block body %}}{inside}{{% endblock %}}"
    ours, theirs = (_environment(kind, text).get_template("page").render(**GIVEN) for kind in (Templates, Environment))
    assert ours == theirs
    assert "<script>" not in ours or "|safe" in inside


@pytest.mark.parametrize(
    "text", ["{{ row.nothing }}", "{{ nothing }}", "{{ nothing() }}", "{{ row.deep.n.more }}", "{{ parts.two(1, 2, 3) }}"]
)
def test_a_name_that_is_not_there_is_an_error(text: str) -> None:
    with pytest.raises((UndefinedError, TypeError)):
        _environment(Templates, f"{{% block body %}}{text}{{% endblock %}}").get_template("page").render(**GIVEN)


@pytest.mark.parametrize("kind", [Templates, Environment])  # ours, and Datasette's
def test_a_template_that_changes_under_a_running_site_waits_for_its_code(tmp_path: Path, kind: type[Environment]) -> None:
    for name in ("shown", "not yet shown"):
        (tmp_path / name).write_text("old", "utf-8")
    env = kind(loader=FileSystemLoader(tmp_path))
    equip(env, Frame({}, None))
    assert env.get_template("shown").render() == "old"
    for name in ("shown", "not yet shown", "new"):
        (tmp_path / name).write_text("newer", "utf-8")
    assert [env.get_template(name).render() for name in ("shown", "not yet shown")] == ["old", "old"]
    with pytest.raises(TemplateNotFound):
        env.get_template("new")
