"""Our templates say what Jinja itself says of them, and escape as much."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import (
    DictLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    UndefinedError,
    nodes,
    pass_context,
    pass_environment,
    pass_eval_context,
)
from jinja2.defaults import DEFAULT_FILTERS
from markupsafe import Markup

from publish.web.frame import TEMPLATES, Frame, clean, environment, equip
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


def left_out(env: Environment, templates: dict[str, str]) -> list[str]:
    """What our Jinja would not do as Jinja does it: blocks that turn escaping on or off, and what asks to be given the context."""
    blocks = [name for name, text in templates.items() if env.parse(text).find(nodes.EvalContextModifier)]
    named = {**env.globals, **{name: it for name, it in env.filters.items() if name not in DEFAULT_FILTERS}}
    frame = env.globals["frame"]
    named |= {f"frame.{name}": getattr(type(frame), name) for name in dir(type(frame))}
    return blocks + [name for name, it in named.items() if hasattr(it, "jinja_pass_arg")]


def test_no_template_of_ours_needs_what_is_left_out() -> None:
    env = environment(Frame({}, None))
    texts = {file.name: file.read_text("utf-8") for file in TEMPLATES.iterdir()}
    assert "base.html" in texts
    assert left_out(env, texts) == []


@pytest.mark.parametrize("ask", [pass_context, pass_eval_context, pass_environment])
def test_what_is_left_out_is_refused(ask: Callable[[Any], Any]) -> None:
    env = environment(Frame({}, None))
    env.globals["asks"] = env.filters["asked"] = ask(lambda context: str(context))
    assert left_out(env, {"a": "{%- autoescape false %}{{ x }}{% endautoescape %}", "b": "autoescape {{ x }}"}) == ["a", "asks", "asked"]


def test_everything_is_escaped_whatever_a_template_says() -> None:
    text = "{% block body %}{% autoescape false %}{{ row.name }}{% endautoescape %}{% endblock %}"
    assert "<script>" not in _environment(Templates, text).get_template("page").render(**GIVEN)


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
