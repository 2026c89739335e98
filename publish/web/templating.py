"""Jinja for our own templates. They mean what they mean to Jinja; what it does for each of the thousands of names, calls and values of a page in case somebody needs
it, and none of ours does, is left out: that was half of a page's time.

What is left out: `{% autoescape false %}` is ignored, for everything is escaped; and what a template calls is not given the context, the environment or whether
to escape (`pass_context` and its like), though a filter is. A test refuses both.
"""

from collections.abc import Callable
from typing import Any

from jinja2 import BaseLoader, Environment, TemplateNotFound
from jinja2.compiler import CodeGenerator
from jinja2.runtime import Context
from markupsafe import Markup, escape

OF_DICTS = frozenset(dir(dict))
Source = tuple[str, str | None, Callable[[], bool] | None]  # as a loader gives it


class _Calls(Context):
    """Calls what a template calls, without asking whether it wants the context (pass_context): that took four times as long as to call it."""

    def call(self, what: Callable[..., Any], /, *args: Any, _block_vars: object = None, _loop_vars: object = None, **named: Any) -> Any:
        return what(*args, **named)


class _Values(CodeGenerator):
    """Writes each value with `Templates.shown`."""

    def _output_child_pre(self, *_: Any) -> None:
        self.write("environment.shown(")

    def _output_child_post(self, *_: Any) -> None:
        self.write(")")


class Templates(Environment):
    """An environment that escapes everything that is no Markup."""

    context_class = _Calls
    code_generator_class = _Values

    def shown(self, value: object) -> str:
        """A value as it stands on a page; what is Markup already is as it is, and was wrapped twice, and a word of letters has nothing to escape."""
        if type(value) is Markup:
            return value
        final = self.finalize(value) if self.finalize else value
        return final if type(final) is str and final.isalnum() else escape(final)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As Jinja's: a row is a dict, of which an attribute was looked for first, in vain, at eight times the cost."""
        if type(obj) is dict and attribute in obj and attribute not in OF_DICTS:
            return obj[attribute]
        return super().getattr(obj, attribute)


class AtStart(BaseLoader):
    """The templates that a loader had when the site started: newer ones are for newer code."""

    def __init__(self, env: Environment, loader: BaseLoader) -> None:
        self._known: dict[str, Source] = {name: loader.get_source(env, name) for name in loader.list_templates()}

    def get_source(self, environment: Environment, template: str) -> Source:
        if template not in self._known:
            raise TemplateNotFound(template)
        return self._known[template]

    def list_templates(self) -> list[str]:
        return [*self._known]
