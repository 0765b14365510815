"""A lineage as W3C provenance, in PROV-JSON (https://www.w3.org/submissions/prov-json/). A pure function of the graph.

Records, files, tasks and probes are entities, events are activities of one moment, users and programs are agents. An
entity that was deleted and restored was not invalidated: its deletion is an activity that used it, as its restoration.
"""

from typing import Any
from urllib.parse import quote

from projections.graph import Edge, Lineage, Node

_AGENTS = {"user": "prov:Person", "program": "prov:SoftwareAgent"}
_GONE = ("deleted", "withdrawn")
_NOT_TOLD = ("via", "by_status", "username", "position")
_SINCE = {
    "session": "requested_at",
    "clustering": "requested_at",
    "upload": "received_at",
    "request": "requested_at",
}
_COLLECTIONS = ("task",)  # edges from a collection to its member
_ASSOCIATED = ("did", "ran")
_USED = ("step", "request")
_DERIVED = ("content", "entry", "clustered", "stands", "inherited", "reads", "corrects", "replaced")
_INFLUENCED = ("inserted", "of", "recorded", "again", "redacts", "left-out", "asks")
_TOLD_OF_EDGES = ("inserted", "removed", "path", "line", "column", "name", "serial", "matched_by")


def prov_json(graph: Lineage) -> dict[str, Any]:
    """The document, with every prefix that it uses declared. Names in it are those of the graph, percent-encoded."""
    return _Document(graph).made()


class _Document:
    def __init__(self, graph: Lineage) -> None:
        self.graph = graph
        self.plain: dict[str, Any] = {
            "prefix": {
                "prov": "http://www.w3.org/ns/prov#",
                "xsd": "http://www.w3.org/2001/XMLSchema#",
                "daybook": "urn:daybook:terms:",
                "ledger": f"urn:daybook:ledger:{quote(graph.origin, safe='')}:",
            }
        }
        self._relations = 0

    def made(self) -> dict[str, Any]:
        for node in self.graph.nodes.values():
            self._node(node)
        for edge in self.graph.edges.values():
            self._edge(edge)
        return self.plain

    def _put(self, kind: str, name: str, value: dict[str, Any]) -> None:
        self.plain.setdefault(kind, {})[name] = value

    def _relate(self, kind: str, **values: Any) -> None:
        self._relations += 1
        self._put(
            kind, f"_:r{self._relations}", {f"prov:{name}": value for name, value in values.items() if value}
        )

    # --- nodes

    def _node(self, node: Node) -> None:
        name = _name(node.id)
        told: dict[str, Any] = {"prov:label": node.label}
        told |= {
            f"daybook:{key}": value
            for key, value in node.attributes.items()
            if key not in _NOT_TOLD and isinstance(value, str | int | float) and value != ""
        }
        if node.kind in _AGENTS:
            self._put("agent", name, told | {"prov:type": _qualified(_AGENTS[node.kind])})
            return
        told["prov:type"] = _qualified("daybook:" + _word(node.attributes.get("type", node.kind)))
        if node.kind == "event":
            at = node.attributes["at"]
            self._put("activity", name, told | {"prov:startTime": at, "prov:endTime": at})
            return
        self._put("entity", name, told)
        if node.attributes.get("username"):
            user = f"user:{node.attributes['username']}"
            if user not in self.graph.nodes:
                self._node(Node(user, "user", str(node.attributes["username"]), {}))
            self._relate("wasAttributedTo", entity=name, agent=_name(user))
        if not any(self.graph.into(node.id, "made")) and node.kind in _SINCE:
            self._relate("wasGeneratedBy", entity=name, time=node.attributes[_SINCE[node.kind]])

    # --- edges

    def _edge(self, edge: Edge) -> None:
        ends = (edge.source, edge.target)
        source, target = map(_name, ends)
        told = {f"daybook:{key}": edge.attributes[key] for key in _TOLD_OF_EDGES if edge.attributes.get(key)}
        if edge.kind in ("made", "step") and self.graph.ref.startswith("user:") and self.graph.ref in ends:
            event = (
                source if edge.kind == "made" else target
            )  # a user is no entity: nothing generates or uses one
            self._relate("wasInfluencedBy", influencee=_name(self.graph.ref), influencer=event)
        elif edge.kind == "made":
            self._relate("wasGeneratedBy", entity=target, activity=source, time=self._time(edge.source))
        elif edge.kind == "took":
            self._took(edge)
        elif edge.kind in _ASSOCIATED:
            self._relate("wasAssociatedWith", activity=target, agent=source)
        elif edge.kind in _USED:
            self._relate("used", activity=target, entity=source, time=self._time(edge.target))
        elif edge.kind in _COLLECTIONS:
            self._relate("hadMember", collection=source, entity=target)
        elif edge.kind in _DERIVED:
            kind = _qualified("prov:Revision") if edge.kind == "replaced" else None
            self._relate("wasDerivedFrom", generatedEntity=target, usedEntity=source, type=kind)
            self.plain["wasDerivedFrom"][f"_:r{self._relations}"] |= told
        elif edge.kind in _INFLUENCED:  # "owns" is told by the node
            influencer, influencee = (target, source) if edge.kind == "asks" else (source, target)
            self._relate("wasInfluencedBy", influencee=influencee, influencer=influencer)
            self.plain["wasInfluencedBy"][f"_:r{self._relations}"] |= told | {"daybook:kind": edge.kind}

    def _took(self, edge: Edge) -> None:
        """Of several times that a record went, only the one that it did not come back from invalidated it."""
        source, record = self.graph.nodes[edge.source], self.graph.nodes[edge.target]
        if source.kind != "event":
            self._relate("wasInfluencedBy", influencee=_name(edge.target), influencer=_name(edge.source))
        going = [other for other, _ in self.graph.into(edge.target, "took")]
        last = max(going, key=self._position)
        if record.attributes.get("status") in _GONE and edge is last:
            activity = _name(edge.source) if source.kind == "event" else None
            time = edge.attributes.get("at") or self._time(edge.source)
            self._relate("wasInvalidatedBy", entity=_name(edge.target), activity=activity, time=time)

    def _position(self, edge: Edge) -> int:
        return int(
            edge.attributes.get("position") or self.graph.nodes[edge.source].attributes.get("position", 0)
        )

    def _time(self, name: str) -> str | None:
        time: str | None = self.graph.nodes[name].attributes.get("at")
        return time


def _name(node: str) -> str:
    """The node's id as a qualified name of this ledger: user:user_1 becomes ledger:user/user_1."""
    kind, colon, rest = node.partition(":")
    return f"ledger:{kind}/{quote(rest, safe='')}" if colon else f"ledger:{quote(kind, safe='/')}"


def _qualified(name: str) -> dict[str, str]:
    return {"$": name, "type": "prov:QUALIFIED_NAME"}


def _word(kind: str) -> str:
    """A kind as the name of a class: left-out becomes LeftOut."""
    return "".join(part[:1].upper() + part[1:] for part in kind.split("-"))
