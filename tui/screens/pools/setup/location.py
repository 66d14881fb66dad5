"""The page of the wizard that asks what the pools are and where they lie; each field says at once what is wrong."""

import posixpath
from collections import Counter

from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from core.driver.storage.pool_setup import PoolFacts, PoolPlan
from core.errors import UsageError
from core.operations.storage.pool_report import NEED, PoolRole
from core.operations.storage.pools import PoolRequest
from core.realms import Realm
from core.units import NotAQuantity, parse_size, show_size
from tui.forms.fields import YES, FormField
from tui.render.cells import Piece, Tone
from tui.render.wrapping import cut_middle, wrapped
from tui.screens.pools.setup.page import SetUpPage
from tui.widgets.fields import FieldRow
from tui.widgets.flow import Flow
from tui.widgets.tones import content

_LABEL = 18
_TYPES = (
    ("dir", "dir: a folder on storage that is mounted there"),
    ("netfs", "netfs: libvirt mounts a network file system"),
    ("fs", "fs: libvirt mounts a block device"),
)


class PlacePage(SetUpPage):
    """Type, folders, sources, permissions, the space that is needed, and whether sharing is proved."""

    title = "Path"

    def compose(self) -> ComposeResult:
        """Lay out all fields; those that the type or the choice of pools makes needless are hidden."""
        hint = "such as /shared/realms; one subfolder per pool"
        yield self._field(FormField(key="type", label="Type", value="dir", choices=_TYPES))
        yield self._field(FormField(key="base", label="Folder", hint=hint))
        yield self._field(FormField(key="source", label="Source", hint="HOST:/export; one subfolder per pool"))
        yield self._field(FormField(key="format", label="Format", hint="such as nfs or ocfs2; default: detected"))
        space = f"warn if less is free; default {show_size(NEED)}"
        yield self._field(FormField(key="need", label="Space needed", hint=space))
        yield self._field(FormField(key="proof", value=YES, tick="Prove that the storage is shared"))
        yield Flow(id="told")
        yield Static(content((("Per pool, and permissions of new folders:", Tone.MUTED),)), classes="hint")
        for role in PoolRole:
            yield self._field(FormField(key=f"path-{role}", label=f"{role.value}: folder", hint="FOLDER/its name"))
            source = "SOURCE/its name, or a device"
            yield self._field(FormField(key=f"source-{role}", label=f"{role.value}: source", hint=source))
        yield self._field(FormField(key="mode", label="Mode", hint="such as 0711; default: libvirt's"))
        yield self._field(FormField(key="owner", label="Owner", hint="user ID on the host; default: libvirt's"))
        yield self._field(FormField(key="group", label="Group", hint="group ID on the host; default: libvirt's"))

    def _field(self, field: FormField) -> FieldRow:
        return FieldRow(field, label_width=_LABEL)

    def on_mount(self) -> None:
        """Nothing is proposed yet."""
        self._proposed = False
        self._touched: set[str] = set()

    def row(self, key: str) -> FieldRow:
        """Return a field."""
        return self.query_one(f"#field-{key}", FieldRow)

    def value(self, key: str) -> str:
        """Return what stands in a field."""
        return self.row(key).value.strip()

    # Proposals -----------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Show the fields that are needed; propose at first what the realm's other pools are like."""
        if not self._proposed:
            self._proposed = True
            self._propose()
        self._show_needed()
        self._show_told()

    def _propose(self) -> None:
        usual = usual_places(self.draft.realm, [found for view in self.views() for pool in view.pools
                                            if (found := pool.facts) is not None])  # fmt: skip
        for key, value in usual.items():
            self.row(key).write(value)
        embedded = any(view.snapshot.host.uri.startswith("test:") for view in self.chosen_views())
        if embedded:  # the embedded driver's hosts share nothing with each other, whatever is written there
            self.row("proof").write("")

    def _show_needed(self) -> None:
        kind, roles = self.value("type"), self.draft.roles
        self.row("source").display = kind == "netfs"
        self.row("format").display = kind != "dir"
        for role in PoolRole:
            self.row(f"path-{role}").display = role in roles
            self.row(f"source-{role}").display = role in roles and kind != "dir"

    # What is wrong -------------------------------------------------------------------------------------------------

    @on(FieldRow.Changed)
    def check(self, event: FieldRow.Changed) -> None:
        """Say at once what is wrong with the field."""
        event.stop()
        key = event.row.field.key
        self._touched.add(key)
        if key == "type":
            self._show_needed()
        faults = self.faults()
        for touched in self._touched:
            self.row(touched).complain(faults.get(touched, ""))
        self._show_told()

    @on(FieldRow.Submitted)
    def go_on(self) -> None:
        """Go to the next field."""
        self.wizard.go_on()

    def faults(self) -> dict[str, str]:
        """Return what is wrong with the fields, by field, in their order."""
        kind, roles = self.value("type"), self.draft.roles
        checked = {"base": _path_fault(self.value("base")), "source": ""}
        if not self.value("base") and not all(self.value(f"path-{role}") for role in roles):
            checked["base"] = "required, or set one per pool below"
        if kind == "netfs" and self.value("source"):
            checked["source"] = _source_fault(self.value("source"))
        for role in roles:
            checked[f"path-{role}"] = _path_fault(self.value(f"path-{role}"))
            given = self.value(f"source-{role}")
            if kind == "netfs" and given:
                checked[f"source-{role}"] = _source_fault(given)
            elif kind == "fs":
                checked[f"source-{role}"] = "" if given.startswith("/") else "required, such as /dev/mapper/shared"
        if kind == "netfs" and not self.value("source") and not all(self.value(f"source-{role}") for role in roles):
            checked["source"] = "required: HOST:/export"
        checked |= {"mode": _mode_fault(self.value("mode")), "need": _size_fault(self.value("need"))}
        checked |= {key: _number_fault(self.value(key)) for key in ("owner", "group")}
        return {key: fault for key, fault in checked.items() if fault}

    def pool_request(self) -> PoolRequest:
        """Make what the fields say into a request; they must be right, each by itself."""
        from core.driver.storage.pool_setup import Permissions, PoolType
        from core.operations.storage.pools import PoolRequest

        kind, roles = PoolType(self.value("type")), self.draft.roles

        def number(key: str, base: int = 10) -> int | None:
            return int(self.value(key), base) if self.value(key) else None

        sourced = kind is not PoolType.DIR
        return PoolRequest(
            roles=roles,
            base=self.value("base"),
            paths={role: path for role in roles if (path := self.value(f"path-{role}"))},
            type=kind,
            source=self.value("source") if kind is PoolType.NETFS else "",
            sources={role: given for role in roles if sourced and (given := self.value(f"source-{role}"))},
            format=self.value("format") if sourced else "",
            permissions=Permissions(number("mode", 8), number("owner"), number("group")),
            need=parse_size(self.value("need")) if self.value("need") else 0,
        )

    def _show_told(self) -> None:
        plans: dict[PoolRole, PoolPlan] = {}
        error = ""
        if not self.faults():
            try:
                plans = self.pool_request().plans(self.draft.realm)
            except UsageError as refused:
                error = refused.message

        def lines(width: int) -> list[tuple[Piece, ...]]:
            if error:
                return [((text, Tone.BAD),) for text in wrapped(error, width, 3)]
            return [
                (
                    (f"{role.value:<10} ", Tone.MUTED),
                    (
                        cut_middle(f"{plan.path} from {plan.source}" if plan.source else plan.path, width - 11),
                        Tone.PLAIN,
                    ),
                )
                for role, plan in plans.items()
            ]

        self.query_one("#told", Flow).show(lines)

    def leave(self) -> bool:
        """Take over the request; goes to the first field that is wrong."""
        faults = self.faults()
        for row in self.query(FieldRow):
            row.complain(faults.get(row.field.key, ""))
        if faults:
            self.row(next(iter(faults))).edit()
            return False
        request = self.pool_request()
        try:
            request.plans(self.draft.realm)
        except UsageError:
            self._show_told()
            return False
        self.draft.request = request
        self.draft.proof = bool(self.value("proof"))
        return True


def usual_places(realm: Realm, known: list[PoolFacts]) -> dict[str, str]:
    """Propose fields from the pools that the realm's hosts have: what most of them are, and where they lie."""
    kinds = Counter(facts.type for facts in known if facts.type in {kind for kind, _ in _TYPES})
    if not kinds:
        return {}
    kind = kinds.most_common(1)[0][0]
    alike = [facts for facts in known if facts.type == kind]
    usual = {"type": kind, "format": ""}
    bases = Counter(posixpath.dirname(facts.path) for facts in alike if posixpath.basename(facts.path) == facts.name)
    base = bases.most_common(1)[0][0] if bases else ""
    sources = Counter(
        posixpath.dirname(facts.source)
        for facts in alike
        if kind == "netfs" and posixpath.basename(facts.source) == facts.name
    )
    source = sources.most_common(1)[0][0] if sources else ""
    usual |= {"base": base, "source": source}
    for role, name in zip(PoolRole, realm.pools, strict=True):
        paths = Counter((facts.path, facts.source) for facts in alike if facts.name == name)
        if paths:
            (path, from_source), _ = paths.most_common(1)[0]
            usual[f"path-{role}"] = "" if base and path == posixpath.join(base, name) else path
            usual[f"source-{role}"] = "" if source and from_source == posixpath.join(source, name) else from_source
    return {key: value for key, value in usual.items() if value}


def _path_fault(path: str) -> str:
    from core.operations.storage.pools import check_path

    try:
        if path:
            check_path(path)
    except UsageError as error:
        return f"{error.message}: {error.hint}" if error.hint else error.message
    return ""


def _source_fault(source: str) -> str:
    host, colon, folder = source.partition(":/")
    bad = not colon or not host or "/" in host or any(letter.isspace() or not letter.isprintable() for letter in host)
    return "write it as HOST:/export" if bad or not folder.isprintable() else ""


def _mode_fault(text: str) -> str:
    octal = text.isascii() and text.isdigit() and set(text) <= set("01234567") and len(text) <= 5
    return "" if not text or (octal and int(text, 8) <= 0o7777) else "octal digits, such as 0711"


def _number_fault(text: str) -> str:
    right = text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= 2**32 - 2
    return "" if not text or right else "a number, see `id` on the host"


def _size_fault(text: str) -> str:
    try:
        size = parse_size(text) if text else 0
    except NotAQuantity as error:
        return f"{error}: {error.hint}" if error.hint else str(error)
    return "" if size >= 0 else "must be 0 or more"
