"""Every code that leaves the program: what scripts and screens decide by, whatever the messages beside it say.

A code keeps its meaning for good. One that is no longer given moves to RETIRED, so that it is never given another one;
`docs/codes.md` lists all of them.
"""

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """A word for programs, with its meaning in one line."""

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> Self:
        """Make a member of its word and its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member


class DiagnosticCode(Code):
    """What is wrong with a configuration."""

    # Text and syntax
    NOT_UTF8 = "not-utf8", "The file is not UTF-8 text."
    NUL_BYTE = "nul-byte", "The file holds a NUL byte."
    INVALID_JSON = "invalid-json", "A file that ends in .json is not JSON."
    UNCLOSED_STRING = "unclosed-string", "A quoted string has no closing quote."
    INVALID_ESCAPE = "invalid-escape", "A quoted string holds an escape that is not known, or half of a pair."
    CONTROL_CHARACTER = "control-character", "A quoted string holds a tab or another control character."
    UNQUOTED_CHARACTER = "unquoted-character", "A character that needs quotes stands outside of them."
    INVALID_KEY = "invalid-key", "What stands where a key should stand is none."
    MISSING_VALUE = "missing-value", "A key has no value."
    UNEXPECTED_TEXT = "unexpected-text", "Something stands where the syntax has no place for it."
    UNOPENED_BRACKET = "unopened-bracket", "A closing brace or bracket has no opening one."
    UNCLOSED_BRACKET = "unclosed-bracket", "A brace or bracket is never closed."
    ROOT_NOT_BLOCK = "root-not-block", "The file is a list instead of keys with values."
    MIXED_VALUE = "mixed-value", "Values of different kinds stand side by side and can't be joined."
    MERGED_BLOCKS = "merged-blocks", "Two blocks side by side are merged into one."
    APPEND_IN_LIST = "append-in-list", "'+=' stands inside a list, where it does not work."
    NESTED_TOO_DEEPLY = ("nested-too-deeply", "Blocks, includes or substitutions are nested too deeply to be read.")
    # Includes
    INVALID_INCLUDE = "invalid-include", "An include is not written as one."
    INCLUDE_UNSUPPORTED = "include-unsupported", "An include names something other than a .conf or .json file."
    INCLUDE_NOT_FOUND = "include-not-found", "An included file does not exist."
    INCLUDE_UNREADABLE = "include-unreadable", "An included file can't be read, or is no regular file."
    INCLUDE_AMBIGUOUS = "include-ambiguous", "The name of an included file means several files."
    INCLUDE_CYCLE = "include-cycle", "A file includes itself, directly or through others."
    INCLUDE_RELATIVE = "include-relative", "file(...) with a relative name is looked for elsewhere by other readers."
    INCLUDE_IN_LIST = "include-in-list", "A file included inside a list has substitutions, which do not work there."
    # Substitutions
    INVALID_SUBSTITUTION = "invalid-substitution", "A substitution is not written as one."
    UNRESOLVED_SUBSTITUTION = "unresolved-substitution", "A substitution refers to what is defined nowhere."
    SUBSTITUTION_CYCLE = "substitution-cycle", "A substitution refers to itself, directly or through others."
    SUBSTITUTION_AMBIGUOUS = (
        "substitution-ambiguous",
        "What a value's substitutions mean depends on the reader of HOCON.",
    )
    TOO_MANY_VALUES = "too-many-values", "The substitutions expand to more values than can be read."
    # Keys and types
    NOTHING_CONFIGURED = "nothing-configured", "There is no ticrypt.vm, or nothing in it."
    UNKNOWN_SECTION = "unknown-section", "A section of ticrypt.vm is probably misspelt and has no effect."
    UNKNOWN_PARAMETER = "unknown-parameter", "A parameter is not known and has no effect."
    MISPLACED_SECTION = "misplaced-section", "A section stands inside another one."
    DUPLICATE_KEY = "duplicate-key", "A key is written twice in a block: the later value replaces the earlier one."
    DUPLICATE_DEFINITION = "duplicate-definition", "Something is defined twice: both definitions are merged."
    MISSING_PARAMETER = "missing-parameter", "A required parameter is missing."
    ASSUMED_DEFAULT = "assumed-default", "A parameter that should be written is missing; its default is used."
    WRONG_TYPE = "wrong-type", "A value is of another type than expected: a block, a list or a single value."
    NOT_A_BOOLEAN = "not-a-boolean", "A value is neither on nor off."
    NOT_AN_INTEGER = "not-an-integer", "A value is not a whole number."
    NOT_A_NUMBER = "not-a-number", "A value is not a finite number."
    NOT_A_SIZE = "not-a-size", "A value is not a size, such as 32 GiB."
    NOT_A_DURATION = "not-a-duration", "A value is not a duration, such as 5 minutes."
    OUT_OF_RANGE = "out-of-range", "A number, size or duration is outside of what is allowed."
    MISSING_UNIT = "missing-unit", "A size or duration has no unit and counts as bytes or milliseconds."
    UNEXPECTED_UNIT = "unexpected-unit", "A plain number has a unit."
    EMPTY_NAME = "empty-name", "A name, an id or a type is empty."
    INVALID_NAME = "invalid-name", "A name is not one that libvirt takes."
    # Cost functions
    UNKNOWN_CURVE = "unknown-curve", "A curve is of a kind that is not known."
    HARD_BELOW_SOFT = "hard-below-soft", "'hard' of a curve is below 'soft'."
    HARD_EQUALS_SOFT = "hard-equals-soft", "'hard' and 'soft' of a curve are equal."
    FALLING_COST = "falling-cost", "'softAmt' of a curve is above 'hardAmt': the cost falls past 'soft'."
    NEGATIVE_MAX = "negative-max", "'max' of a curve is below 0: every use costs infinity."
    ZERO_SCALE = "zero-scale", "'scale' is 0: every finite cost becomes 0."
    NEGATIVE_SCALE = "negative-scale", "'scale' is below 0: the more is used, the lower the cost."
    DEVICE_INFINITE_AT_ZERO = "device-infinite-at-zero", "A device's curve is infinite at 0: no VM can be placed."
    DEVICE_COST_AT_ZERO = "device-cost-at-zero", "A device's curve costs something at 0: every VM pays that."
    NO_LIMIT = "no-limit", "A cost function has no curve of VMs, vCPUs or memory."
    NO_MEMORY_LIMIT = "no-memory-limit", "A cost function in use has no memory curve."
    # Hardware profiles
    UNKNOWN_COST_FUNCTION = "unknown-cost-function", "A hardware profile names a cost function that is not defined."
    MEMORY_OVERCOMMITTED = "memory-overcommitted", "A cost function allows more memory than its hardware profile has."
    DEVICE_WITHOUT_CURVE = ("device-without-curve", "A device of a profile has no curve in the cost function.")
    INVALID_PCI_ADDRESS = "invalid-pci-address", "An address is not one of PCI."
    DUPLICATE_PCI_ADDRESS = "duplicate-pci-address", "A profile lists a PCI address twice."
    # Realms
    UNKNOWN_DRIVER = "unknown-driver", "A realm's driver is not libvirt."
    SHORT_REGISTRATION_TIMEOUT = "short-registration-timeout", "A realm's registration timeout is less than 60 seconds."
    MIN_ABOVE_MAX = "min-above-max", "The least size of drives is more than the largest."
    UNKNOWN_CACHE_MODE = "unknown-cache-mode", "A cache mode of drives is not known."


class ErrorCode(Code):
    """Why a command failed, or a part of it."""

    FAILED = "failed", "Something failed, and no other code says what."
    USAGE = "usage", "The request is invalid."
    UNREADABLE_FILE = "unreadable-file", "A file can't be read, or is not what it should be."
    INVALID_CONFIGURATION = "invalid-configuration", "The configuration has errors."
    UNWRITABLE_FILE = "unwritable-file", "A file can't be written."
    HOST_REFUSED = "host-refused", "The registry refuses a host as described."
    UNKNOWN_HOST = "unknown-host", "No host of that name is registered."
    HOST_CHANGED = "host-changed", "The host was changed by someone else since it was read."
    RESERVATION_REFUSED = (
        "reservation-refused",
        "The VM or device is reserved by someone else, or the reservation has expired.",
    )
    REGISTRY_BUSY = "registry-busy", "Another program holds the registry's lock for too long."
    READ_ONLY = "read-only", "A change was asked for in read-only mode."
    CANCELLED = "cancelled", "The task was cancelled."
    LIBVIRT_FAILED = "libvirt-failed", "libvirt or the host failed or refused what was asked."
    HOST_UNREACHABLE = "host-unreachable", "There is no connection to the host."
    HOST_TIMEOUT = "host-timeout", "The host did not answer in time."
    QEMU_EXITED = "qemu-exited", "QEMU ended while the VM was being started."
    STILL_AT_WORK = "still-at-work", "Another program is still working on it."
    NAME_TAKEN = "name-taken", "A VM of that name already exists."
    NO_ROOM = "no-room", "No host can take the VM."
    NOT_REGISTERED = "not-registered", "The VM did not come up before the registration timeout."
    FOREIGN_VM = "foreign-vm", "The VM is foreign: no realm created it."
    VM_REFUSED = "vm-refused", "The VM is not one that the operation works on."
    VM_ACTIVE = "vm-active", "The VM runs, and has to be off."
    RUNS_ELSEWHERE = "runs-elsewhere", "The VM runs on another host, or may."
    WRONG_STATE = "wrong-state", "The VM is in a state in which that can't be done."
    NOT_SHUT_DOWN = "not-shut-down", "The VM did not shut down in time."
    STATE_NOT_REACHED = "state-not-reached", "The VM did not reach the requested state, or left it."
    STORAGE_FAILED = "storage-failed", "The VM is paused because its storage fails."
    NO_CONSOLE = "no-console", "The VM has no serial console that can be opened."
    LEFT_OFF = "left-off", "The VM was shut down to be moved, and was not started again."
    NO_TARGET = "no-target", "No host can take the VM that should migrate."
    MIGRATION_REFUSED = "migration-refused", "A check does not allow the migration."
    MIGRATION_FAILED = "migration-failed", "A migration failed."
    VOLUME_EXISTS = "volume-exists", "A volume of that name already exists."
    NO_SUCH_VOLUME = "no-such-volume", "There is no volume of that name."
    VOLUME_IN_USE = "volume-in-use", "A volume or pool is used by something else."
    VOLUME_USE_UNKNOWN = "volume-use-unknown", "It is not known whether a volume is used."
    IMAGE_REFUSED = "image-refused", "A file is not an image that can become a brick."
    DRIVE_REFUSED = "drive-refused", "A drive can't be attached or detached."
    GUEST_HOLDS_DRIVE = "guest-holds-drive", "The guest does not release a drive."
    NO_SPACE = "no-space", "A pool has too little free space."
    POOL_BUSY = "pool-busy", "A pool can't be refreshed while something is being created there."
    POOL_DIFFERS = "pool-differs", "A pool of that name exists, but differs from the request."
    FOLDER_MISSING = "folder-missing", "A pool's folder does not exist."
    POOLS_NOT_SET_UP = "pools-not-set-up", "The pools could not be set up on every host."
    POOLS_NOT_REMOVED = "pools-not-removed", "The pools could not be removed on every host."


class Why(Code):
    """Why a host is refused, in the order in which the reasons are given."""

    UNKNOWN_REALM = "unknown-realm", "The configuration has no such realm."
    REALM_DISABLED = "realm-disabled", "The realm is disabled."
    HOST_DISABLED = "host-disabled", "The host is disabled."
    NO_SCHEDULING = "no-scheduling", "The host is set to take no new VMs."
    NOT_CONNECTED = "not-connected", "There is no connection to the host."
    STALE = "stale", "The host's data are too old."
    UNKNOWN_PROFILE = "unknown-profile", "The configuration has no such hardware profile."
    NO_FREE_DEVICE = "no-free-device", "The host has no free device of a type that is asked for."
    COST_INFINITE = "cost-infinite", "The host's cost with the VM on it would be infinite."
    POOL_MISSING = "pool-missing", "A storage pool that the VM needs is missing or inactive on the host."


class Stays(Code):
    """Why a plan leaves a VM where it is; where only other hosts' reasons keep it, these are named instead."""

    NOT_CONNECTED = "not-connected", "There is no connection to the VM's host."
    STALE = "stale", "The data of the VM's host are too old."
    HOST_DISABLED = "host-disabled", "The VM's host is disabled."
    REALM_DISABLED = "realm-disabled", "The realm is disabled."
    UNKNOWN_REALM = "unknown-realm", "The configuration has no such realm."
    INACTIVE = "inactive", "The VM does not run."
    RESERVED = "reserved", "The VM is reserved: something is being done to it."
    ACTIVE_ELSEWHERE = "active-elsewhere", "The VM runs on another host too."
    STATE = "state", "The VM is in a state in which it can't be moved."
    FOREIGN = "foreign", "The VM is foreign: the realm did not create it."
    UNKNOWN_DEVICE = "unknown-device", "The VM holds a device that its host's profile does not list."
    HOLDS_DEVICES = "holds-devices", "The VM holds devices and would have to be shut down to move."
    NO_OTHER_HOST = "no-other-host", "There is no other host in the realm."


class DecidedBy(Code):
    """What told the best host from the next (specification, section 8): the cost, or one of the ties' rules."""

    COST = "cost", "The cost after placing."
    RISE = "rise", "The rise of the cost, where the costs are equal."
    VMS = "vms", "The number of VMs, where cost and rise are equal."
    NAME = "name", "The host's name, where all else is equal."


class ReplayOutcome(Code):
    """What becomes of a logged decision that is made again."""

    SAME = "same", "It is as it was, to the last bit of the cost."
    OTHER_COST = "other-cost", "The hosts are the same, at another cost or with other devices."
    OTHER_HOST = "other-host", "A VM goes to another host."
    NO_HOST = "no-host", "A VM that found a host then finds none now."
    A_HOST = "a-host", "A VM that found no host then finds one now."

    @property
    def changes(self) -> bool:
        """Whether a VM would go elsewhere."""
        return self not in (ReplayOutcome.SAME, ReplayOutcome.OTHER_COST)


class Check(Code):
    """What `doctor` looks at on a host, and `vms migrate` before it moves a VM."""

    HOST = "host", "Whether the host is asked at all."
    SAME_MACHINE = "same machine", "Whether two registered hosts are one machine."
    URI = "uri", "The host's URI."
    SSH_KEY = "ssh key", "The service's ssh keys on this machine."
    SSH_AGENT = "ssh agent", "Keys that an ssh agent offers."
    HOST_KEY = "host key", "The host's own ssh key."
    LOGIN = "login", "The ssh login."
    HOST_TO_HOST = "host to host", "The ssh login from one host to another."
    CLOCK = "clock", "The host's clock."
    REGISTRY = "registry", "Who can change the registry on this machine."
    LIBVIRT = "libvirt", "libvirt on the host, and its version."
    LIBVIRT_CLIENT = "libvirt client", "libvirt on this machine."
    QEMU = "qemu", "The version of QEMU."
    HYPERVISOR = "hypervisor", "The hypervisor that the host runs."
    KVM = "kvm", "Whether KVM is there."
    MIGRATION = "migration", "Whether the host can migrate VMs."
    REALM = "realm", "The host's realm."
    PROFILE = "profile", "The host's hardware profile."
    CORES = "cores", "The number of cores."
    MEMORY = "memory", "The amount of memory."
    OVERCOMMIT = "overcommit", "What the cost function allows beyond what there is."
    DEVICES = "devices", "PCI devices."
    IOMMU = "iommu", "Whether the IOMMU is on."
    POOLS = "pools", "The realm's storage pools."
    SHARED_STORAGE = "shared storage", "Whether hosts see the same storage."
    NETWORK = "network", "Networks."
    NETWORK_FILTER = "network filter", "Network filters."
    TRANSLATION = "translation", "The static address translation."
    CPU_MODEL = "cpu model", "The CPU models of the hosts of a realm."
    VERSIONS = "versions", "Versions of libvirt and QEMU that differ between hosts."
    STATE = "state", "The state of the VM."
    SAVED_STATE = "saved state", "A saved state of the VM."
    SNAPSHOTS = "snapshots", "libvirt's own snapshots of the VM."
    CHECKPOINTS = "checkpoints", "libvirt's own checkpoints of the VM."
    HOSTS = "hosts", "Whether source and target are two hosts."
    IDENTITY = "identity", "Whether the target has the VM already."
    NAME = "name", "Whether the name is free on the target."
    MACHINE = "machine", "Whether the target knows the machine type."
    CPU = "cpu", "Whether the target's CPU suits the VM."
    DISKS = "disks", "Whether the target sees the VM's disks."
    FILES = "files", "Files of the VM that lie on its host."
    ADDRESS = "address", "The address that the target is reached at."
    ENCRYPTION = "encryption", "Whether what is sent is encrypted."
    PLACEMENT = "placement", "Whether placement refuses the target."
    FOREIGN = "foreign", "Whether a realm created the VM."


REGISTRY: dict[type[Code], str] = {
    DiagnosticCode: "`code` of a diagnostic in `realms check --json`",
    ErrorCode: "`code` beside `error` or `message` in JSON, where a command or a part of it failed",
    Why: "`why` of a refusal in the JSON of `realms place` and `realms plan`, and in the scheduling log",
    Stays: "`why` of a VM that a plan leaves where it is; reasons against hosts stand there too",
    DecidedBy: "`decided_by` in the JSON of `realms place`",
    ReplayOutcome: "`outcome` in the JSON of `realms replay`",
    Check: "`check` in the JSON of `realms doctor` and `realms vms migrate`",
}
"""Every family of codes that leaves the program, and where it does. Within a family no code has two meanings."""

RETIRED: dict[type[Code], tuple[str, ...]] = {ErrorCode: ("image-in-use", "drive-in-use", "pools-in-use")}
"""Codes that are no longer given: they are never given another meaning."""

SPACED = frozenset(
    {
        Check.SAME_MACHINE, Check.SSH_KEY, Check.SSH_AGENT, Check.HOST_KEY, Check.HOST_TO_HOST, Check.LIBVIRT_CLIENT,
        Check.SHARED_STORAGE, Check.NETWORK_FILTER, Check.CPU_MODEL, Check.SAVED_STATE,
    }
)  # fmt: skip
"""Codes with blanks, from before codes were kebab-case: they keep their values, and no others are added."""
