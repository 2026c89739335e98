"""Where somebody who finds an error can write to: the operator's own word, and nothing where there is none."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from .frame import web_address

MAIL = re.compile(r"[A-Za-z0-9.!#$%&*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}")


@dataclass(frozen=True)
class Contact:
    """`text` as it is shown, and the address of a link to it."""

    text: str
    href: str

    @property
    def is_mail(self) -> bool:
        return self.href.startswith("mailto:")


def contact(text: str) -> Contact:
    """An e-mail address, or the web address of a form. Raises ValueError for anything else."""
    text = text.strip()
    if MAIL.fullmatch(text):
        return Contact(text, f"mailto:{quote(text, safe='@')}")
    if web_address(text) and len(text) <= 300:
        return Contact(text, text)
    raise ValueError(f"{text!r} is neither an e-mail address nor a web address that begins with http:// or https://")
