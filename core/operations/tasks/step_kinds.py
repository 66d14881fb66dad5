"""What the steps of tasks do, and what came of them: what screens decide by, whatever the steps' words say."""

from enum import StrEnum


class StepKind(StrEnum):
    """What a step does."""

    RUN = "run"
    """Carries a whole plan out; its moves are steps of their own."""
    LOOK = "look"
    """Finds something out, and changes nothing."""
    PLACE = "place"
    """Chooses a host, or reserves room there."""
    WAIT = "wait"
    """Waits for what goes on without the task."""
    CONTROL = "control"
    """Changes the state of a VM or host."""
    START = "start"
    STOP = "stop"
    REGISTER = "register"
    """Waits until a VM that was started has come up."""
    DEFINE = "define"
    """Writes a VM's definition."""
    UNDEFINE = "undefine"
    """Removes a VM's definition."""
    MIGRATE = "migrate"
    """Migrates one VM of several, with steps of its own that follow on its host."""
    MOVE = "move"
    """Brings a VM to another host: the step's `to`."""
    ATTACH = "attach"
    DETACH = "detach"
    CREATE = "create"
    """Makes a volume or a key."""
    COPY = "copy"
    """Sends or copies bytes."""
    DELETE = "delete"
    EXCHANGE = "exchange"
    """Puts a VM onto other disks."""
    WRITE = "write"
    """Writes a file here."""
    SET_UP_POOL = "set-up-pool"
    REMOVE_POOL = "remove-pool"
    PROVE_SHARING = "prove-sharing"
    NOTE = "note"
    """Writes down, or forgets, what was done."""
    SETTLE = "settle"
    """Puts in order what another operation left."""
    UNDO = "undo"
    """Undoes an earlier step."""

    @property
    def changes(self) -> bool:
        """Whether such a step changes a host, a VM, a volume, a pool or a file: refused where nothing may be changed.

        What undoes an earlier step, or writes down what was done, belongs to a step that was allowed.
        """
        return self not in _CHANGE_NOTHING


_CHANGE_NOTHING = frozenset(
    {
        StepKind.RUN, StepKind.LOOK, StepKind.PLACE, StepKind.WAIT, StepKind.REGISTER, StepKind.NOTE, StepKind.UNDO,
    }
)  # fmt: skip


class StepOutcome(StrEnum):
    """What a step that is done found and left."""

    MADE = "made"
    """What it is about was not there before."""
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    """All of it was done before."""
