"""Every code that leaves the program: what scripts and screens decide by, whatever the messages beside it say.

A code keeps its meaning for good. One that is no longer given moves to RETIRED, so that it is never given another one;
`docs/codes.md` lists all of them.
"""

from __future__ import annotations

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
    NESTED_TOO_DEEPLY = (
        "nested-too-deeply",
        "Blocks, includes or substitutions are nested too deeply to be read.",
    )
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
    DEVICE_WITHOUT_CURVE = (
        "device-without-curve",
        "A device of a profile has no curve in the cost function.",
    )
    INVALID_PCI_ADDRESS = "invalid-pci-address", "An address is not one of PCI."
    DUPLICATE_PCI_ADDRESS = "duplicate-pci-address", "A profile lists a PCI address twice."
    # Realms
    UNKNOWN_DRIVER = "unknown-driver", "A realm's driver is not libvirt."
    SHORT_REGISTRATION_TIMEOUT = "short-registration-timeout", "A realm's registration timeout is less than 60 seconds."
    MIN_ABOVE_MAX = "min-above-max", "The least size of drives is more than the largest."
    UNKNOWN_CACHE_MODE = "unknown-cache-mode", "A cache mode of drives is not known."


class Why(Code):
    """Why a host is refused, in the order in which the reasons are given."""

    UNKNOWN_REALM = "unknown-realm", "The configuration has no such realm."
    REALM_DISABLED = "realm-disabled", "The realm is disabled."
    HOST_DISABLED = "host-disabled", "The host is disabled."
    NO_SCHEDULING = "no-scheduling", "The host is set to take no new VMs."
    NOT_CONNECTED = "not-connected", "There is no connection to the host."
    STALE = "stale", "What is known of the host is too old."
    UNKNOWN_PROFILE = "unknown-profile", "The configuration has no such hardware profile."
    NO_FREE_DEVICE = "no-free-device", "The host has no free device of a type that is asked for."
    COST_INFINITE = "cost-infinite", "The host's cost with the VM on it would be infinite."
    POOL_MISSING = "pool-missing", "A storage pool that the VM needs is missing or inactive on the host."


class Stays(Code):
    """Why a plan leaves a VM where it is; where only other hosts' reasons keep it, these are named instead."""

    NOT_CONNECTED = "not-connected", "There is no connection to the VM's host."
    STALE = "stale", "What is known of the VM's host is too old."
    HOST_DISABLED = "host-disabled", "The VM's host is disabled."
    REALM_DISABLED = "realm-disabled", "The realm is disabled."
    UNKNOWN_REALM = "unknown-realm", "The configuration has no such realm."
    INACTIVE = "inactive", "The VM does not run."
    RESERVED = "reserved", "The VM is reserved: something is being done to it."
    ACTIVE_ELSEWHERE = "active-elsewhere", "The VM runs on another host too."
    STATE = "state", "The VM is in a state in which it can't be moved."
    FOREIGN = "foreign", "The VM was not made by the realm."
    UNKNOWN_DEVICE = "unknown-device", "The VM holds a device that its host's profile does not list."
    HOLDS_DEVICES = "holds-devices", "The VM holds devices and would have to be shut down to move."
    NO_OTHER_HOST = "no-other-host", "There is no other host in the realm."
