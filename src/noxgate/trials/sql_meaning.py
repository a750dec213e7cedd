"""What a statement means: the tables that it makes, uses and changes, as PostgreSQL's own parser reads it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from noxgate.machine.late import late
from noxgate.trials.sql_script import Script, Statement

# its own types are not for mypy
postgast: Any = late("postgast")
nodes: Any = late("postgast.pg_query_pb2")

# What psql puts in before it sends a statement: :name, :'name', :"name"; a cast is ::name, a slice a[1:2].
_VARIABLE = re.compile(r"(?<![:\w]):(?=['\"A-Za-z_])")
_MAKING = {
    "CreateStmt": lambda node: node.relation,
    "ViewStmt": lambda node: node.view,
    "CreateTableAsStmt": lambda node: node.into.rel,
    "IntoClause": lambda node: node.rel,
}
_TABLES = {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"}
_CHANGING = {"DeleteStmt": "DELETE FROM", "UpdateStmt": "UPDATE", "MergeStmt": "MERGE INTO"}


@dataclass(frozen=True)
class Name:
    """A table's name as it is written; `schema` is empty if it names only the table."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def may_be(self, other: "Name") -> bool:
        """Whether both may mean one table: where one has no schema, the usual one is taken for it."""
        return self.name == other.name and (self.schema or "public") == (other.schema or "public")


@dataclass(frozen=True)
class Meaning:
    """The tables and views of one statement. `changes` are those whose rows it takes away, with the verb.

    `alone` are those that a statement locks which no transaction may hold, with the mode that the
    documentation gives; `done` is the body of a DO, which is not SQL.
    """

    makes: tuple[Name, ...] = ()
    uses: tuple[Name, ...] = ()
    changes: tuple[tuple[str, Name], ...] = ()
    alone: tuple[tuple[Name, str], ...] = ()
    done: str = ""


def of(script: Script, statement: Statement) -> Meaning | None:
    """Of one statement of a script."""
    return meaning(script.text[statement.start : statement.stop])


def meaning(text: str) -> Meaning | None:
    """Of one statement; None if PostgreSQL's grammar does not have it."""
    for each in (text, _VARIABLE.sub("", text)):
        try:
            return _read(list(postgast.walk(postgast.parse(each))))
        except postgast.PgQueryError:
            continue
    return None


def _read(tree: list[tuple[str, Any]]) -> Meaning:
    kinds = [(type(node).__name__, node) for _, node in tree]
    made = [_MAKING[kind](node) for kind, node in kinds if kind in _MAKING]
    own = {node.ctename for kind, node in kinds if kind == "CommonTableExpr"}
    forgiving = any(getattr(node, "missing_ok", False) for _, node in kinds[2:3])  # the statement itself
    used = [
        _name(node)
        for kind, node in kinds
        if kind == "RangeVar" and not any(node is each or node == each for each in made)
    ]
    used += [name for kind, node in kinds if kind == "DropStmt" for name in _dropped(node)]
    return Meaning(
        makes=(*map(_name, made), *(name for kind, node in kinds for name in _renamed(kind, node))),
        uses=() if forgiving else tuple(name for name in used if name.schema or name.name not in own),
        changes=tuple(change for kind, node in kinds for change in _changed(kind, node)),
        alone=tuple(lock for kind, node in kinds for lock in _locked_alone(kind, node)),
        done="".join(
            node.sval
            for kind, statement in kinds
            if kind == "DoStmt"
            for _, node in postgast.walk(statement)
            if type(node).__name__ == "String"
        ),
    )


def _name(node: Any) -> Name:
    return Name(node.schemaname, node.relname)


def _dropped(node: Any) -> Iterator[Name]:
    if nodes.ObjectType.Name(node.remove_type) in _TABLES:
        for each in node.objects:
            words = [item.string.sval for item in each.list.items]
            yield Name(".".join(words[-2:-1]), words[-1])


def _renamed(kind: str, node: Any) -> Iterator[Name]:
    if kind == "RenameStmt" and nodes.ObjectType.Name(node.rename_type) in _TABLES:
        yield Name(node.relation.schemaname, node.newname)
    if kind == "AlterObjectSchemaStmt" and nodes.ObjectType.Name(node.object_type) in _TABLES:
        yield Name(node.newschema, node.relation.relname)


def _changed(kind: str, node: Any) -> Iterator[tuple[str, Name]]:
    if kind in _CHANGING:
        yield _CHANGING[kind], _name(node.relation)
    if kind == "TruncateStmt":
        for each in node.relations:
            yield "TRUNCATE", _name(each.range_var)


def _locked_alone(kind: str, node: Any) -> Iterator[tuple[Name, str]]:
    options = {each.def_elem.defname for each in getattr(node, "params", ())}
    if kind == "IndexStmt" and node.concurrent:
        yield _name(node.relation), "ShareUpdateExclusiveLock"
    if kind == "ReindexStmt" and nodes.ReindexObjectType.Name(node.kind) == "REINDEX_OBJECT_TABLE":
        yield _name(node.relation), "ShareUpdateExclusiveLock" if "concurrently" in options else "ShareLock"
    if kind == "ClusterStmt" and node.relation.relname:
        yield _name(node.relation), "AccessExclusiveLock"
    if kind == "VacuumStmt" and node.is_vacuumcmd:
        is_full = "full" in {each.def_elem.defname for each in node.options}
        for each in node.rels:
            mode = "AccessExclusiveLock" if is_full else "ShareUpdateExclusiveLock"
            yield _name(each.vacuum_relation.relation), mode
