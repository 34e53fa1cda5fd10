"""The calls by which a role may read, derived from the contract: every public GET whose access names it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from lead.options.v1 import words_pb2

from services.shared import labels
from services.shared.sharing import purposes

_FIELD = re.compile(r"([a-z]+)/\{[a-z_]+\}")
_PURPOSE = "PURPOSE_"
# Its stubs give the extension no type.
_HTTP: Any = annotations_pb2.http
# Labels of what is about nobody.
_IMPERSONAL = labels.mask("DIRECTORY", "STAFF", "SYSTEM", "FUNDING", "DEIDENTIFIED")


@dataclass(frozen=True, slots=True)
class Read:
    """One GET, and the purposes at which a role may make it."""

    rpc: MethodDescriptor
    template: str
    purposes: tuple[str, ...]

    def path(self, ids: Mapping[str, str]) -> str:
        """Return the path, the id of each collection filled in (`{"referrals": "ref_…"}`); empty where one lacks."""
        if any(not ids.get(collection) for collection in _FIELD.findall(self.template)):
            return ""
        return _FIELD.sub(lambda match: f"{match[1]}/{ids[match[1]]}", self.template)

    @property
    def is_list(self) -> bool:
        """Whether it answers page by page."""
        return "next_page_token" in self.rpc.output_type.fields_by_name

    @property
    def is_about_people(self) -> bool:
        """Whether its answer can hold anything about a person."""
        return bool(_carried(self.rpc.output_type) & ~_IMPERSONAL)


@cache
def reads(role: str, agency_kind: str) -> tuple[Read, ...]:
    """Return every GET of a role at an agency of this kind (`""` for a participant), its purposes in matrix order.

    Not what streams: a subscription only points at what these read.
    """
    number = words_pb2.Role.Value(f"ROLE_{role.upper()}")
    may = purposes.ALLOWED[purposes.matrix_role(role, agency_kind)]
    found = []
    for rpc in labels.public_methods():
        access, template = labels.access(rpc), _template(rpc)
        if access is not None and template and number in access.roles and not rpc.server_streaming:
            serves = {words_pb2.Purpose.Name(each).removeprefix(_PURPOSE) for each in access.purposes}
            found.append(Read(rpc, template, tuple(word for word in may if word in serves)))
    return tuple(found)


def _template(rpc: MethodDescriptor) -> str:
    return str(rpc.GetOptions().Extensions[_HTTP].get)


@cache
def _carried(message: Descriptor) -> int:
    """Return the mask of all labels that a message can carry, its inner ones too."""
    total = 0
    for field in message.fields:
        if labels.is_leaf(field):
            # What says no category of its own quotes one of a person's, or has its row's; bit 0 stands for it.
            total |= labels.bit(labels.category(field))
        elif field.message_type is not None:
            total |= _carried(field.message_type)
    return total
