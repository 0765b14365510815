"""PROV-JSON as the Python package ``prov`` reads it, and some of the constraints of W3C's PROV-CONSTRAINTS."""

import io
import json
from typing import Any

from prov.model import ProvDocument

_ELEMENTS = ("entity", "activity", "agent")
_ENDS = {
    "wasGeneratedBy": ("prov:entity",), "used": ("prov:activity", "prov:entity"),
    "wasInvalidatedBy": ("prov:entity",), "wasAssociatedWith": ("prov:activity", "prov:agent"),
    "wasAttributedTo": ("prov:entity", "prov:agent"), "hadMember": ("prov:collection", "prov:entity"),
    "wasDerivedFrom": ("prov:generatedEntity", "prov:usedEntity"),
    "wasInfluencedBy": ("prov:influencee", "prov:influencer"),
}  # fmt: skip
_KIND = {
    "prov:entity": "entity", "prov:collection": "entity", "prov:generatedEntity": "entity",
    "prov:usedEntity": "entity", "prov:activity": "activity", "prov:agent": "agent",
}  # fmt: skip


def checked(document: dict[str, Any]) -> dict[str, Any]:
    """The document, after it was read as PROV, and written and read once more, without a warning and the same."""
    text = json.dumps(document)
    read = ProvDocument.deserialize(io.StringIO(text), format="json")
    assert ProvDocument.deserialize(io.StringIO(read.serialize(format="json")), format="json") == read
    assert len(read.get_records()) == sum(len(found) for kind, found in document.items() if kind != "prefix")
    elements = {name: kind for kind in _ELEMENTS for name in document.get(kind, {})}
    assert len(elements) == sum(
        len(document.get(kind, {})) for kind in _ELEMENTS
    )  # entities are not activities
    for kind, ends in _ENDS.items():
        for relation in document.get(kind, {}).values():
            for end in ends:
                assert elements.get(relation[end]) == _KIND.get(end, elements.get(relation[end])), (
                    kind,
                    relation,
                )
                assert relation[end] in elements, (kind, relation)
            assert relation.get("prov:activity") is None or relation["prov:activity"] in elements
    assert set(document) <= {"prefix", *_ELEMENTS, *_ENDS}
    _check_life_times(document)
    return document


def _check_life_times(document: dict[str, Any]) -> None:
    """An entity is made once and goes once, and is used in between."""
    made = [one["prov:entity"] for one in document.get("wasGeneratedBy", {}).values()]
    gone = [one["prov:entity"] for one in document.get("wasInvalidatedBy", {}).values()]
    assert len(made) == len(set(made)) and len(gone) == len(set(gone))
    since = {one["prov:entity"]: one["prov:time"] for one in document.get("wasGeneratedBy", {}).values()}
    until = {one["prov:entity"]: one["prov:time"] for one in document.get("wasInvalidatedBy", {}).values()}
    for used in document.get("used", {}).values():
        assert since.get(used["prov:entity"], "") <= used["prov:time"] <= until.get(used["prov:entity"], "~")
    for name, time in until.items():
        assert since.get(name, "") <= time
