# ruff: noqa: E501 - a table; a line is a case
"""What administrators get wrong, as fragments of a right configuration; `@@` marks the line of the mistake."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MARK = "@@"
FUNCTION = """\
vms: { curve: linear, slope: 1, base: 0 }
memory: { curve: hard-soft, soft: 16 GiB, hard: 32 GiB }
"""
PROFILE = """\
cores: 8
memory: 32 GiB
cost-function: simple
"""
REALM = """\
disabled: false
driver: libvirt
name: "Main"
drives.lazy-allocation: on
"""
MAIN = """\
{before}
ticrypt.vm {{
  cost-functions {{
    simple {{
{function}
    }}
  }}
  hardware-profiles {{
    standard {{
{profile}
    }}
  }}
  realms {{
    main = {{ include "realm.conf" }}
  }}
}}
{after}
"""


@dataclass(frozen=True)
class Case:
    """One mistake: fragments that differ from the right configuration, the severity, and a word of the message."""

    name: str
    severity: str
    keyword: str
    function: str = FUNCTION
    profile: str = PROFILE
    realm: str = REALM
    before: str = ""
    after: str = ""
    main: str = ""
    files: dict[str, str] = field(default_factory=dict)
    alone: bool = True
    """Whether this is the only diagnostic."""

    def write(self, folder: Path) -> tuple[Path, str, int]:
        """Write the files; gives the main file, and file and line of the mark."""
        main = self.main or MAIN.format(
            function=self.function, profile=self.profile, before=self.before, after=self.after
        )
        place = ("", 0)
        for name, text in {"ticrypt-vm.conf": main, "realm.conf": self.realm, **self.files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            for number, line in enumerate(text.split("\n"), start=1):
                if MARK in line:
                    place = (name, number)
            path.write_text(text.replace(MARK, ""), encoding="utf-8", newline="")
        return folder / "ticrypt-vm.conf", *place


def function(name: str, severity: str, keyword: str, body: str, *, alone: bool = True) -> Case:
    """Make a mistake in the cost function; what it does not mention stays right."""
    if "memory" not in body:
        body += "\nmemory: { curve: hard-soft, soft: 16 GiB, hard: 32 GiB }"
    return Case(name, severity, keyword, function=body, alone=alone)


def profile(name: str, severity: str, keyword: str, body: str, *, alone: bool = True) -> Case:
    """Make a mistake in the hardware profile; what it does not mention stays right."""
    lines = [line for line in PROFILE.splitlines() if line.split(":")[0] not in body.replace(MARK, "")]
    return Case(name, severity, keyword, profile="\n".join((body, *lines)), alone=alone)


def realm(name: str, severity: str, keyword: str, body: str, *, alone: bool = True) -> Case:
    """Make a mistake in the realm; what it does not mention stays right."""
    lines = [line for line in REALM.splitlines() if line.split(":")[0] not in body.replace(MARK, "")]
    return Case(name, severity, keyword, realm="\n".join((body, *lines)), alone=alone)


def device_function(name: str, severity: str, keyword: str, curve: str) -> Case:
    """Make a mistake in the curve of a device."""
    return function(name, severity, keyword, f"{FUNCTION}devices.gpu: {curve}")


def devices(name: str, severity: str, keyword: str, body: str, *, alone: bool = True) -> Case:
    """Make a mistake in a profile's devices; gpu has a curve."""
    curve = f"{FUNCTION}devices.gpu: {{ curve: linear, slope: 1, base: 0 }}"
    return Case(name, severity, keyword, function=curve, profile=f"{PROFILE}{body}", alone=alone)


CURVES = (
    function("curve misspelt", "error", "lineer", "vms: { curve: lineer@@, slope: 1, base: 0 }"),
    function("curve in capitals", "error", "Linear", 'vms: { curve: "Linear"@@, slope: 1, base: 0 }'),
    function("curve with underscore", "error", "hard_soft", "vms: { curve: hard_soft@@, soft: 1, hard: 2 }"),
    function("curve not named", "error", "curve", "vms: {@@ slope: 1, base: 0 }", alone=False),
    function("curve called type", "error", "curve", "vms: {@@ type: linear, slope: 1, base: 0 }", alone=False),
    function("curve empty", "error", "curve", "vms: {@@ }"),
    function("curve is a word", "error", "vms", "vms: linear@@"),
    function("curve is a number", "error", "vms", "vms: 5@@"),
    function("curve is a list", "error", "vms", "vms: [@@ { curve: linear, slope: 1, base: 0 } ]"),
    function("curve name is a block", "error", "curve", "vms: { curve: { linear: 1 }@@ }"),
    function("slope missing", "error", "slope", "vms: {@@ curve: linear, base: 0 }"),
    function("base missing", "error", "base", "vms: {@@\n curve: linear\n slope: 1 }"),
    function("value missing", "error", "value", "vms: {@@ curve: constant }"),
    function("soft missing", "error", "soft", "vms: {@@ curve: hard-soft, hard: 16 }"),
    function("hard missing", "error", "hard", "vms: {@@ curve: soft-hard, soft: 16 }"),
    function("cutoff missing", "error", "cutoff", "vms: {@@ curve: piecewise, low: {curve: invalid}, high: {curve: invalid} }"),
    function("low missing", "error", "low", "vms: {@@ curve: low-high, cutoff: 3, high: {curve: invalid} }"),
    function("high missing", "error", "high", "vms: {@@ curve: high-low, cutoff: 3, low: {curve: constant, value: 1} }"),
    function("inner curve misspelt", "error", "invalidd", "vms: { curve: piecewise, cutoff: 3, low: {curve: constant, value: 1},\nhigh: {curve: invalidd@@} }"),
    function("inner parameter missing", "error", "slope", "vms: { curve: piecewise, cutoff: 3,\nlow: {@@curve: linear, base: 1},\nhigh: {curve: invalid} }"),
    function("hard below soft", "error", "hard", "vcpus: {\ncurve: hard-soft\nsoft: 16\nhard: 8@@\n}"),
    function("hard below soft in other units", "error", "hard", "memory: { curve: hard-soft, soft: 1 GiB, hard: 1 GB@@ }"),
    function("soft zero", "error", "soft", "vcpus: { curve: hard-soft, soft: 0@@, hard: 8 }"),
    function("soft negative", "error", "soft", "vcpus: { curve: hard-soft, soft: -1@@, hard: 8 }"),
    function("slope is a word", "error", "slope.*one", "vms: { curve: linear, slope: one@@, base: 0 }"),
    function("slope is true", "error", "slope.*true", "vms: { curve: linear, slope: true@@, base: 0 }"),
    function("slope is empty", "error", "slope", 'vms: { curve: linear, slope: ""@@, base: 0 }'),
    function("slope is a block", "error", "slope", "vms: { curve: linear, slope: { a: 1 }@@, base: 0 }"),
    function("slope is null", "error", "slope", "vms: {@@ curve: linear, slope: null, base: 0 }"),
    function("slope is NaN", "error", "NaN", "vms: { curve: linear, slope: NaN@@, base: 0 }"),
    function("value is Infinity", "error", "Infinity", "vms: { curve: constant, value: Infinity@@ }"),
    function("value is -Infinity", "error", "-Infinity", "vms: { curve: constant, value: -Infinity@@ }"),
    function("value overflows", "error", "1e400", "vms: { curve: constant, value: 1e400@@ }"),
    function("value overflows below", "error", "-1e400", "vms: { curve: constant, value: -1e400@@ }"),
    function("value has two points", "error", "1.5.2", "vms: { curve: constant, value: 1.5.2@@ }"),
    function("value is hexadecimal", "error", "0x10", "vms: { curve: constant, value: 0x10@@ }"),
    function("value has an underscore", "error", "1_000", "vms: { curve: constant, value: 1_000@@ }"),
    function("value is a size", "error", "5 GiB", "vms: { curve: constant, value: 5 GiB@@ }"),
    function("value is a percentage", "error", "50%", "vms: { curve: constant, value: 50%@@ }"),
    function("max is a size", "error", "64 GiB", "memory: { curve: linear, slope: 1, base: 0, max: 64 GiB@@ }", alone=False),
    function("softAmt is a size", "error", "softAmt", "memory: { curve: hard-soft, soft: 16 GiB, hard: 32 GiB, softAmt: 1 GiB@@ }"),
    function("hardAmt is a size", "error", "hardAmt", "memory: { curve: hard-soft, soft: 16 GiB, hard: 32 GiB, hardAmt: 1 GiB@@ }"),
    function("scale is a size", "error", "scale", "vms: { curve: linear, slope: 1, base: 0, scale: 1 GiB@@ }"),
    function("soft with a unit of the wrong case", "error", "Gib", "memory: { curve: hard-soft, soft: 16 Gib@@, hard: 32 GiB }"),
    function("soft in KB", "error", "KB", "memory: { curve: hard-soft, soft: 16 KB@@, hard: 32 GiB }"),
    function("soft in cores", "error", "cores", "vcpus: { curve: hard-soft, soft: 8 cores@@, hard: 16 }"),
    function("soft beyond 2^63", "error", "soft", "memory: { curve: hard-soft, soft: 16 EiB@@, hard: 32 EiB }", alone=False),
    function("hard is soft", "warning", "hard", "vcpus: { curve: hard-soft, soft: 8, hard: 8@@ }"),
    function("softAmt above hardAmt", "warning", "softAmt", "vcpus: { curve: hard-soft, soft: 8, hard: 16, softAmt: 20@@, hardAmt: 3 }"),
    function("softAmt above the default hardAmt", "warning", "softAmt", "vcpus: { curve: hard-soft, soft: 8, hard: 16, softAmt: 20@@ }"),
    function("hardAmt below the default softAmt", "warning", "hardAmt", "vcpus: { curve: hard-soft, soft: 8, hard: 16, hardAmt: 0.5@@ }"),
    function("memory without a unit", "warning", "soft.*unit", "memory: { curve: hard-soft, soft: 16@@, hard: 32 GiB }"),
    function("memory cutoff without a unit", "warning", "cutoff.*unit", "memory: { curve: piecewise, cutoff: 16@@, low: { curve: constant, value: 0 }, high: { curve: invalid } }"),
    function("memory max in GiB without a unit", "warning", "max.*unit", "memory: { curve: linear, slope: 1, base: 0, max: 32@@ }"),
    function("vcpus in GiB", "warning", "vcpus", "vcpus: { curve: hard-soft, soft: 8, hard: 16 GiB@@ }"),
    function("slope is a size", "warning", "slope", "vms: { curve: linear, slope: 1 GiB@@, base: 0 }"),
    function("base is a size", "warning", "base", "vms: { curve: linear, slope: 1, base: 1 K@@ }"),
    function("scale zero", "warning", "scale", "vms: { curve: linear, slope: 1, base: 0, scale: 0@@ }"),
    function("scale negative", "warning", "scale", "vms: { curve: linear, slope: 1, base: 0, scale: -2@@ }"),
    function("max negative", "warning", "max", "vms: { curve: linear, slope: 1, base: 0, max: -2@@ }"),
    function("parameter misspelt", "warning", "softAmnt", "vcpus: { curve: hard-soft, soft: 8, hard: 16, softAmnt: 4@@ }"),
    function("parameter in kebab case", "warning", "soft-amt", "vcpus: { curve: hard-soft, soft: 8, hard: 16, soft-amt: 4@@ }"),
    function("parameter in lower case", "warning", "hardamt", "vcpus: { curve: hard-soft, soft: 8, hard: 16, hardamt: 40@@ }"),
    function("parameter of another curve", "warning", "soft", "vms: { curve: linear, slope: 1, base: 0, soft: 3@@ }"),
    function("parameter of a constant", "warning", "slope", "vms: { curve: constant, value: 1, slope: 3@@ }"),
)  # fmt: skip

FUNCTIONS = (
    function("attribute misspelt", "warning", "vcpu", "vcpu: {@@ curve: linear, slope: 1, base: 0 }", alone=True),
    function("attribute cpus", "warning", "cpus", "vms: {curve: constant, value: 1}\ncpus: {@@ curve: linear, slope: 1, base: 0 }"),
    function("offset misspelt", "warning", "ofset", f"{FUNCTION}ofset: 5@@"),
    function("scale not a number", "error", "scale", f"{FUNCTION}scale: twice@@"),
    function("offset a size", "error", "offset", f"{FUNCTION}offset: 1 GiB@@"),
    function("offset Infinity", "error", "offset", f"{FUNCTION}offset: Infinity@@"),
    function("scale zero", "warning", "scale", f"{FUNCTION}scale: 0@@"),
    function("scale negative", "warning", "scale", f"{FUNCTION}scale: -1@@"),
    function("name is a block", "error", "name", f"{FUNCTION}name: {{ a: 1 }}@@"),
    function("description is a list", "error", "description", f"{FUNCTION}description: [1]@@"),
    function("devices is a list", "error", "devices", f"{FUNCTION}devices: [ {{@@ type: gpu, curve: invalid }} ]"),
    function("devices is a curve", "error", "devices", f"{FUNCTION}devices: {{@@ curve: linear, slope: 1, base: 0 }}"),
    function("devices is a word", "error", "devices", f"{FUNCTION}devices: gpu@@"),
    device_function("device curve misspelt", "error", "linar", "{ curve: linar@@, slope: 1, base: 0 }"),
    device_function("device curve is a number", "error", "gpu", "4@@"),
    device_function("device curve not 0 at 0", "warning", "gpu", "{@@ curve: linear, slope: 1, base: 2 }"),
    device_function("device curve infinite at 0", "warning", "unavailable|refuses every VM", "{@@ curve: invalid }"),
    device_function("device curve constant", "warning", "gpu", "{@@ curve: constant, value: 5 }"),
    Case("no restriction", "warning", "vms, vcpus or memory", main='ticrypt.vm.cost-functions {\n  f {@@ name: "F" }\n}\n'),
    Case("empty function", "warning", "vms, vcpus or memory", main="ticrypt.vm.cost-functions {\n  f {@@ }\n}\n"),
    Case("function is a word", "error", "cost function", main="ticrypt.vm.cost-functions {\n  f: linear@@\n}\n"),
    Case("functions are a list", "error", "cost-functions", main="ticrypt.vm.cost-functions: [@@ { name: f } ]\n"),
    Case("memory without limit", "warning", "memory", function="memory: { curve: linear, slope: 1, base: 0 }", profile=PROFILE.replace("32 GiB", "32 GiB@@")),
    Case("more memory than there is", "warning", "64 GiB", function="memory: { curve: hard-soft, soft: 1 GiB, hard: 64 GiB }", profile=PROFILE.replace("32 GiB", "32 GiB@@")),
    Case("no memory curve", "warning", "memory", main="ticrypt.vm {\ncost-functions {\nf {@@ vms { curve: linear, slope: 1, base: 0 } }\n}\nhardware-profiles.p { cores: 1, memory: 1 GiB, cost-function: f }\n}"),
)  # fmt: skip

PROFILES = (
    profile("cores missing", "error", "cores", "name: x # cores\n", alone=True),
    profile("cores with a fraction", "error", "7.5", "cores: 7.5@@"),
    profile("cores zero", "error", "cores", "cores: 0@@"),
    profile("cores negative", "error", "cores", "cores: -8@@"),
    profile("cores a word", "error", "eight", "cores: eight@@"),
    profile("cores with a unit", "error", "8 cores", "cores: 8 cores@@"),
    profile("cores a range", "error", "8-16", "cores: 8-16@@"),
    profile("cores too many", "error", "cores", "cores: 1e10@@"),
    profile("cores quoted wrongly", "error", "cores", 'cores: "8 "@@'),
    profile("cores a list", "error", "cores", "cores: [8]@@"),
    profile("memory of the wrong case", "error", "Gib", "memory: 32 Gib@@"),
    profile("memory in gb", "error", "gb", "memory: 32 gb@@"),
    profile("memory in mb", "error", "mb", "memory: 32000 mb@@"),
    profile("memory in KB", "error", "KB", "memory: 32000000 KB@@"),
    profile("memory in GIB", "error", "GIB", "memory: 32 GIB@@"),
    profile("memory in gigs", "error", "gigs", "memory: 32 gigs@@"),
    profile("memory with an unknown unit", "error", "XB", "memory: 32 XB@@"),
    profile("memory with two units", "error", "memory", "memory: 32 GiB 512 MiB@@"),
    profile("memory zero", "error", "memory", "memory: 0@@"),
    profile("memory negative", "error", "memory", "memory: -32 GiB@@"),
    profile("memory beyond 2^63", "error", "memory", "memory: 8 EiB@@"),
    profile("memory without a number", "error", "memory", "memory: GiB@@"),
    profile("memory a block", "error", "memory", "memory: { size: 32 GiB }@@"),
    profile("memory without a unit", "warning", "memory.*unit|unit.*memory", "memory: 32@@", alone=False),
    profile("memory in MiB without a unit", "warning", "unit", "memory: 32768@@", alone=False),
    profile("memory null", "error", "memory", "memory: null", alone=True),
    profile("cost function unknown", "error", "pool3", "cost-function: pool3@@"),
    profile("cost function of another case", "error", "Simple", "cost-function: Simple@@"),
    profile("cost function a block", "error", "cost-function", "cost-function: {@@ vms { curve: invalid } }"),
    profile("parameter misspelt", "warning", "descripton", "descripton: x@@"),
    profile("cost_function", "error", "cost-function", "cost_function: simple # cost-function", alone=False),
    profile("core", "warning", "core", "core: 8@@ # cores\ncores: 8"),
    devices("device type missing", "error", "type", 'devices: [\n{@@ addr: "01:00.0" }\n]'),
    devices("device addr missing", "error", "addr", "devices: [\n{@@ type: gpu }\n]"),
    devices("device address misspelt", "warning", "address", 'devices: [\n{ type: gpu, address: "01:00.0"@@ }\n]', alone=False),
    devices("device is a text", "error", "device", 'devices: [\n"01:00.0"@@\n]'),
    devices("devices is a block", "error", "devices", 'devices {@@ type: gpu, addr: "01:00.0" }'),
    devices("devices is a word", "error", "devices", "devices: gpu@@"),
    devices("slot too large", "error", "01:20.0", 'devices: [\n{ type: gpu, addr: "01:20.0"@@ }\n]'),
    devices("function too large", "error", "01:00.8", 'devices: [\n{ type: gpu, addr: "01:00.8"@@ }\n]'),
    devices("address without function", "error", "01:00", 'devices: [\n{ type: gpu, addr: "01:00"@@ }\n]'),
    devices("address not hexadecimal", "error", "0g:00.0", 'devices: [\n{ type: gpu, addr: "0g:00.0"@@ }\n]'),
    devices("address with commas", "error", "01,00", 'devices: [\n{ type: gpu, addr: "01,00,0"@@ }\n]'),
    devices("address empty", "error", "addr", 'devices: [\n{ type: gpu, addr: ""@@ }\n]'),
    devices("domain too long", "error", "00000:01:00.0", 'devices: [\n{ type: gpu, addr: "00000:01:00.0"@@ }\n]'),
    devices("address as libvirt names it", "error", "pci_0000", 'devices: [\n{ type: gpu, addr: pci_0000_01_00_0@@ }\n]'),
    devices("address twice", "error", "01:00.0", 'devices: [\n{ type: gpu, addr: "01:00.0" }\n{ type: gpu, addr: "0000:01:00.0"@@ }\n]'),
    devices("address twice in another case", "error", "c1:00.0", 'devices: [\n{ type: gpu, addr: "c1:00.0" }\n{ type: gpu, addr: "C1:00.0"@@ }\n]'),
    devices("address twice with two types", "error", "01:00.0", 'devices: [\n{ type: gpu, addr: "01:00.0" }\n{ type: nic, addr: "01:00.0"@@ }\n]'),
    devices("type without a curve", "warning", "nic", 'devices: [\n{ type: nic@@, addr: "01:00.0" }\n]'),
    devices("type of another case", "warning", "GPU", 'devices: [\n{ type: GPU@@, addr: "01:00.0" }\n]'),
    devices("type empty", "error", "type", 'devices: [\n{ type: ""@@, addr: "01:00.0" }\n]'),
    devices("devices merged", "warning", "merged", 'devices: [\n{ type: gpu, addr: "01:00.0" } {@@ type: gpu, addr: "02:00.0" }\n]'),
    devices("devices concatenated", "warning", "merged", 'devices: { a: 1 }{@@ b: 2 }', alone=False),
    devices("unquoted address", "error", "0000:01:00.0", "devices: [\n{ type: gpu, addr: 0000:01:00.0@@ }\n]"),
    devices("unquoted short address", "error", "01:00.0", "devices: [\n{ type: gpu, addr: 01:00.0@@ }\n]"),
    devices("unquoted address in equals", "error", "41:00.0", "devices = [\n{ type = gpu, addr = 41:00.0@@ }\n]"),
)  # fmt: skip

REALMS = (
    realm("driver of another kind", "error", "nutanix", "driver: nutanix@@"),
    realm("driver in capitals", "error", "Libvirt", "driver: Libvirt@@"),
    realm("driver misspelt", "error", "livbirt", "driver: livbirt@@"),
    realm("driver kvm", "error", "kvm", "driver: kvm@@"),
    realm("driver is a list", "error", "driver", "driver: [libvirt]@@"),
    realm("disabled misspelt", "error", "fasle", "disabled: fasle@@"),
    realm("disabled in capitals", "error", "False", "disabled: False@@"),
    realm("disabled as TRUE", "error", "TRUE", "disabled: TRUE@@"),
    realm("disabled as a number", "error", "'0'", "disabled: 0@@"),
    realm("disabled enabled", "error", "enabled", "disabled: enabled@@"),
    realm("disabled empty", "error", "disabled", 'disabled: ""@@'),
    realm("lazy allocation On", "error", "On", "drives.lazy-allocation: On@@"),
    realm("lazy allocation yess", "error", "yess", "drives.lazy-allocation: yess@@"),
    realm("lazy allocation lazy", "error", "lazy", "drives.lazy-allocation: lazy@@"),
    realm("log scheduling maybe", "error", "maybe", "log-scheduling: maybe@@"),
    realm("log scheduling debug", "error", "debug", "log-scheduling: debug@@"),
    realm("name is a block", "error", "name", "name: { a: 1 }@@"),
    realm("name empty", "error", "name", 'name: ""@@'),
    realm("cache misspelt", "error", "write-back", "drives.cache: write-back@@"),
    realm("cache in capitals", "error", "Writeback", "drives.cache: Writeback@@"),
    realm("cache directsync", "error", "directsync", "drives.cache: directsync@@"),
    realm("cache off", "error", "off", "drives.cache: off@@"),
    realm("min above max", "error", "min-size", "drives.max-size: 1 GiB\ndrives.min-size: 2 GiB@@"),
    realm("min above max in other units", "error", "min-size", "drives.min-size: 1 GiB@@\ndrives.max-size: 1 GB"),
    realm("min size of the wrong case", "error", "Mib", "drives.min-size: 512 Mib@@"),
    realm("max size unlimited", "error", "unlimited", "drives.max-size: unlimited@@"),
    realm("max size negative", "error", "max-size", "drives.max-size: -1 GiB@@"),
    realm("min size without a unit", "warning", "min-size", "drives.min-size: 10@@"),
    realm("drives is a word", "error", "drives", "drives: lazy@@ # drives.lazy-allocation"),
    realm("drives parameter misspelt", "warning", "chache", "drives.chache: none@@"),
    realm("drives parameter minsize", "warning", "minSize", "drives.minSize: 1 GiB@@"),
    realm("timeout mins", "error", "mins", "registration-timeout: 10 mins@@"),
    realm("timeout min", "error", "min", "registration-timeout: 10 min@@"),
    realm("timeout in capitals", "error", "Minutes", "registration-timeout: 10 Minutes@@"),
    realm("timeout sec", "error", "sec", "registration-timeout: 300 sec@@"),
    realm("timeout hr", "error", "hr", "registration-timeout: 1 hr@@"),
    realm("timeout 1h30m", "error", "1h30m", "registration-timeout: 1h30m@@"),
    realm("timeout weeks", "error", "weeks", "registration-timeout: 2 weeks@@"),
    realm("timeout as a clock", "error", "10:00", "registration-timeout: 10:00@@"),
    realm("timeout a word", "error", "never", "registration-timeout: never@@"),
    realm("timeout zero", "error", "registration-timeout", "registration-timeout: 0 s@@"),
    realm("timeout negative", "error", "registration-timeout", "registration-timeout: -5 minutes@@"),
    realm("timeout a size", "error", "GiB", "registration-timeout: 5 GiB@@"),
    realm("timeout short", "warning", "60", "registration-timeout: 30 s@@"),
    realm("timeout without a unit", "warning", "millisecond", "registration-timeout: 600@@", alone=False),
    realm("poll zero", "error", "poll-frequency", "poll-frequency: 0@@"),
    realm("poll negative", "error", "poll-frequency", "poll-frequency: -1 s@@"),
    realm("poll without a unit", "warning", "poll-frequency", "poll-frequency: 5000@@"),
    realm("poll too long", "error", "poll-frequency", "poll-frequency: 300 years@@"),
    realm("port zero", "error", "registration-port", "registration-port: 0@@"),
    realm("port too large", "error", "registration-port", "registration-port: 70000@@"),
    realm("port a word", "error", "ssh", "registration-port: ssh@@"),
    realm("pool empty", "error", "volumes-pool", 'volumes-pool: ""@@'),
    realm("pool a list", "error", "drives-pool", "drives-pool: [a, b]@@"),
    realm("pool a path", "error", "/var/lib/vms", "bricks-pool: /var/lib/vms@@"),
    realm("pool misspelt", "warning", "volume-pool", "volume-pool: vms@@"),
    realm("parameter in camel case", "warning", "pollFrequency", "pollFrequency: 5 s@@"),
    realm("parameter of nowhere", "warning", "colour", "colour: green@@"),
    realm("scalar twice", "warning", "driver", "driver: libvirt\ndriver: libvirt@@"),
    realm("dotted scalar twice", "warning", "cache", "drives.cache: none\ndrives.cache: default@@"),
    Case("driver missing", "error", "driver", realm="@@disabled: false\nname: x\ndrives.lazy-allocation: on\n"),
    Case("name missing", "error", "name", realm="@@disabled: false\ndriver: libvirt\ndrives.lazy-allocation: on\n"),
    Case("disabled missing", "warning", "disabled", realm="@@driver: libvirt\nname: x\ndrives.lazy-allocation: on\n"),
    Case("lazy allocation missing", "warning", "lazy-allocation", realm="@@driver: libvirt\nname: x\ndisabled: false\n"),
    Case("lazy allocation missing among dotted drives", "warning", "lazy-allocation", realm="@@driver: libvirt\nname: x\ndisabled: false\ndrives.cache: none"),
    Case("lazy allocation missing in a block", "warning", "lazy-allocation", realm="driver: libvirt\nname: x\ndisabled: false\ndrives {@@\n cache: none }"),
    Case("realm file empty", "error", "driver", realm="@@", alone=False),
    Case("realm in a section of its own", "error", "driver", realm='@@main {\ndriver: libvirt\nname: "x"\n}\n', alone=False),
    Case("realm is a file name", "error", "realm", main='ticrypt.vm.realms {\n  main: "realm.conf"@@\n}\n'),
    Case("inline realm without name", "error", "name", main="ticrypt.vm.realms {\n  main {@@ driver: libvirt, disabled: off, drives.lazy-allocation: on }\n}\n"),
)  # fmt: skip

FILES = (
    Case("nothing", "error", "ticrypt.vm", main="@@\n"),
    Case("only comments", "error", "ticrypt.vm", main="@@# nothing\n// here\n"),
    Case("empty root", "error", "ticrypt.vm", main="@@ticrypt.vm { }\n"),
    Case("root misspelt", "error", "tycrypt", main="# x\ntycrypt.vm {@@ realms { } }\n"),
    Case("root ticrypt-vm", "error", "ticrypt", main="ticrypt-vm {@@ realms { } }\n"),
    Case("root without vm", "error", "vms", main="ticrypt {\nvms {@@ realms { } }\n}\n"),
    Case("sections without root", "error", "ticrypt.vm", main="\ncost-functions {@@ f { vms: { curve: invalid } } }\n"),
    Case("a realm's own file", "error", "realm", main="@@driver: libvirt\nname: x\n"),
    Case("root a word", "error", "ticrypt.vm", main="ticrypt.vm: on@@\n"),
    Case("section misspelt", "warning", "cost-function", main="ticrypt.vm {\n realms { }\n cost-function {@@ }\n}\n"),
    Case("section in camel case", "warning", "hardwareProfiles", main="ticrypt.vm {\n realms { }\n hardwareProfiles {@@ }\n}\n"),
    Case("section misspelt realm", "warning", "realm", main="ticrypt.vm {\n cost-functions { }\n realm {@@ }\n}\n"),
    Case("sections inside each other", "warning", "brace", main="ticrypt.vm {\n cost-functions {\n hardware-profiles {@@ }\n}\n}\n"),
    Case("include missing", "error", "secnd.conf", after='ticrypt.vm.realms.second = { include "secnd.conf"@@ }'),
    Case("include missing at the top", "error", "hardware.conf", before='include "hardware.conf"@@'),
    Case("include missing in an included file", "error", "deeper.conf", before='include "sub/a.conf"', files={"sub/a.conf": 'x: 1\ninclude "deeper.conf"@@\n'}),
    Case("include of a folder", "error", "folder", before='include "sub.conf"@@', files={"sub.conf/a": ""}),
    Case("include of a URL", "error", "url", before='include url("http://example.org/a.conf")@@'),
    Case("include of http", "error", "http", before='include "http://example.org/a.conf"@@'),
    Case("include of a package", "error", "package", before='include package("core:a.conf")@@'),
    Case("include of the classpath", "error", "classpath", before='include classpath("a.conf")@@'),
    Case("include without quotes", "error", "a.conf", before="include a.conf@@", alone=False),
    Case("include with a colon", "error", "include", before='include: "a.conf"@@', alone=False),
    Case("include of another ending", "error", "a.cfg", before='include "a.cfg"@@', files={"a.cfg": ""}),
    Case("include of properties", "error", "properties", before='include "a.properties"@@', files={"a.properties": ""}),
    Case("include of itself", "error", "cycle", before='include "ticrypt-vm.conf"@@'),
    Case("include in a cycle", "error", "cycle", before='include "a.conf"', files={"a.conf": 'include "b.conf"', "b.conf": '# b\ninclude "a.conf"@@'}),
    Case("include in a cycle by another path", "error", "cycle", before='include "a.conf"', files={"a.conf": 'include "sub/b.conf"', "sub/b.conf": 'include "../a.conf"@@'}),
    Case("syntax in an included file", "error", "quote", before='include "a.conf"', files={"a.conf": 'a: 1\nb: "x@@\nc: 2\n'}),
    Case("curve in an included file", "error", "lineer", function='include "f.conf"', files={"f.conf": "# f\nvms: { curve: lineer@@, slope: 1, base: 0 }"}),
    Case("include of file() elsewhere", "warning", "folder", before='include file("a.conf")@@', files={"a.conf": "x: 1"}),
    Case("include of JSON that is none", "error", "JSON", before='include "a.json"', files={"a.json": '{\n"a": 1,@@ # no\n}'}, alone=True),
    Case("function twice", "warning", "simple", after="ticrypt.vm.cost-functions {\n simple {@@ offset: 1 }\n}"),
    Case("profile twice in one block", "warning", "p", main='ticrypt.vm.hardware-profiles {\np { name: "a" }\np {@@ name: "b" }\n}', alone=False),
    Case("realm twice", "warning", "main", after='ticrypt.vm.realms {\n main = {@@ include "realm.conf" }\n}'),
    Case("curve twice", "warning", "vms", function="vms: { curve: constant, value: 1 }\nmemory: { curve: unavailable }\nvms: {@@ curve: constant, value: 2 }"),
    Case("curve twice with other parameters", "warning", "vms", function=f"{FUNCTION}vms: {{@@ curve: constant, value: 2 }}", alone=False),
    Case("device curve twice", "warning", "gpu", function=f"{FUNCTION}devices {{\ngpu {{ curve: unavailable }}\ngpu {{@@ curve: unavailable }}\n}}"),
    Case("value replaces block", "warning", "vms", function="vms: 5\nmemory: { curve: unavailable }\nvms {@@ curve: constant, value: 1 }"),
)  # fmt: skip

SYNTAX = (
    Case("unclosed quote", "error", "quote", profile=f'name: "Standard@@\n{PROFILE}'),
    Case("unclosed triple quote", "error", '"""', profile=f'name: """Standard@@\n{PROFILE}', alone=False),
    Case("unknown escape", "error", r"\\q", profile=f'name: "a\\q"@@\n{PROFILE}'),
    Case("Windows path", "error", "escape", profile=f'name: "C:\\Users"@@\n{PROFILE}'),
    Case("tab in quotes", "error", "tab", profile=f'name: "a\tb"@@\n{PROFILE}'),
    Case("unfinished unicode escape", "error", "escape", profile=f'name: "\\u12"@@\n{PROFILE}'),
    Case("single quotes with a colon", "error", "quot", profile=f"name: 'a: b'@@\n{PROFILE}"),
    Case("colon in a value", "error", "quot", profile=f"description: see: wiki@@\n{PROFILE}"),
    Case("url in a value", "error", "quot|allowed", profile=f"description: http://wiki@@\n{PROFILE}"),
    Case("question mark", "error", r"\?", profile=f"description: why?@@\n{PROFILE}"),
    Case("at sign", "error", "@", profile=f"description: me@ home@@\n{PROFILE}"),
    Case("asterisk", "error", r"\*", profile=f"description: 4*A100@@\n{PROFILE}"),
    Case("exclamation mark", "error", "!", profile=f"description: big!@@\n{PROFILE}"),
    Case("ampersand", "error", "&", profile=f"description: a & b@@\n{PROFILE}"),
    Case("backslash", "error", r"\\", profile=f"description: a\\b@@\n{PROFILE}"),
    Case("dollar", "error", r"\$", profile=f"description: $5@@\n{PROFILE}"),
    Case("plus", "error", r"\+", profile=f"description: a+b@@\n{PROFILE}"),
    Case("substitution not closed", "error", "substitution", profile=f"name: ${{a@@\n{PROFILE}"),
    Case("substitution as in a shell", "error", "substitution", profile=f"name: ${{a:-b}}@@\n{PROFILE}"),
    Case("empty substitution", "error", "substitution", profile=f"name: ${{}}@@\n{PROFILE}"),
    Case("comma at the beginning", "error", "comma", profile=f",name: x@@\n{PROFILE}"),
    Case("comma twice", "error", "comma", profile=f"name: x,,@@\n{PROFILE}"),
    Case("comma twice over two lines", "error", "comma", profile=f"name: x,\n,@@\n{PROFILE}"),
    Case("comma twice in a list", "error", "comma", profile=f"{PROFILE}devices: [,@@]"),
    Case("decimal comma", "error", "comma|no value", profile=f"{PROFILE}x: 1,5@@\n", alone=False),
    Case("comma between thousands", "error", "000", profile="cores: 1,000@@\nmemory: 1 GiB"),
    Case("no value", "error", "description", profile=f"description:@@\n{PROFILE}"),
    Case("no value before a block", "error", "description", function="description:@@\nvms { curve: invalid }"),
    Case("no value before the end", "error", "devices", profile=f"{PROFILE}devices:@@"),
    Case("no value before a comma", "error", "cores", profile="cores: ,@@"),
    Case("key alone", "error", "cores", profile="cores@@\nmemory: 1 GiB"),
    Case("missing comma on one line", "error", "slope", function="vms: { curve: linear slope: 1 }@@"),
    Case("missing comma after a quoted text", "error", "slope", function='vms: { curve: "linear" slope: 1 }@@'),
    Case("semicolon", "error", "slope", function="vms: { curve: linear; slope: 1 }@@"),
    Case("two separators", "error", "=", profile="cores: = 8@@"),
    Case("double equals", "error", "=", profile="cores == 8@@"),
    Case("arrow", "error", "> 8", profile="cores => 8@@\nmemory: 32 GiB\ncost-function: simple"),
    Case("brace too many", "error", "brace", after="}@@"),
    Case("brace missing", "error", "brace", main="ticrypt.vm {\n realms {\n }\n@@"),
    Case("bracket missing", "error", "list", profile=f'{PROFILE}devices: [ {{ type: gpu, addr: "01:00.0" }}\n}}@@', alone=False),
    Case("bracket too many", "error", "bracket", profile=f"{PROFILE}devices: [ ] ]@@"),
    Case("brace for bracket", "error", "list", profile=f"{PROFILE}devices: [ }}@@"),
    Case("key begins with a dot", "error", "dot", profile=f".name: x@@\n{PROFILE}"),
    Case("key ends with a dot", "error", "dot", profile=f"name.: x@@\n{PROFILE}"),
    Case("two dots in a key", "error", "dot", profile=f"a..b: x@@\n{PROFILE}"),
    Case("object beside text", "error", "side|comma", profile=f"name: x {{ a: 1 }}@@\n{PROFILE}"),
    Case("list beside text", "error", "side|comma", profile=f"name: x [1]@@\n{PROFILE}"),
    Case("objects without separator", "error", "comma", profile=f"a {{ b: 1 }}{{@@ c: 2 }}\n{PROFILE}", alone=False),
    Case("YAML", "error", "-|nothing|key|value", main="ticrypt:@@\n  vm:\n    realms:\n      - main\n"),
    Case("TOML", "error", r"\[|list", main="[ticrypt.vm]@@\nx = 1\n"),
    Case("XML", "error", "<|key|value", main="<ticrypt>@@\n</ticrypt>\n"),
    Case("NUL byte", "error", "NUL", profile=f"name: a\0b@@\n{PROFILE}"),
    Case("file is a list", "error", "list", main='[@@ "a" ]\n'),
    Case("text after the last brace", "error", "x", main="{ ticrypt.vm { realms { } } }\nx: 1@@\n"),
    Case("+= in a list", "error", r"\+=", profile=f"{PROFILE}devices: [\n{{ type += gpu@@ }}\n]", alone=False),
)  # fmt: skip

SUBSTITUTIONS = (
    Case("unresolved", "error", "defaults.memory", profile="cores: 8\ncost-function: simple\nmemory: ${defaults.memory}@@"),
    Case("unresolved in a list", "error", "gpu1", profile=f"{PROFILE}devices: [\n${{gpu1}}@@\n]"),
    Case("unresolved in a text", "error", "site", profile=f'{PROFILE}name: "Node at "${{site}}@@'),
    Case("unresolved elsewhere", "error", "PASSWORD", after="ticrypt.vm.mongodb.password: ${PASSWORD}@@"),
    Case("misspelt", "error", "defaults.memroy", before="defaults.memory: 32 GiB", profile="cores: 8\ncost-function: simple\nmemory: ${defaults.memroy}@@"),
    Case("cycle", "error", "cycle|itself", after="a: ${b}\nb: ${a}@@"),
    Case("self", "error", "itself|cycle", after="a: ${a}@@"),
    Case("self inside", "error", "itself|cycle", after="a: { b: ${a}@@ }"),
    Case("mistake in the value meant", "error", "Gib", before="defaults.memory: 32 Gib@@", profile="cores: 8\ncost-function: simple\nmemory: ${defaults.memory}"),
    Case("mistake in the curve meant", "error", "hard", before="curve { curve: hard-soft, soft: 3, hard: 2@@ }", function="vcpus: ${curve}\nmemory: { curve: unavailable }"),
    Case("missing in the curve meant", "error", "hard", before="curve {@@ curve: hard-soft, soft: 3 }", function="vcpus: ${curve}\nmemory: { curve: unavailable }"),
    Case("object where a text is needed", "error", "cost-function", profile=PROFILE.replace("simple", "${ticrypt.vm.cost-functions.simple}@@")),
    Case("object joined with a text", "error", "next to", before="a { b: 1 }", profile=f"{PROFILE}name: ${{a}} x@@"),
    Case("list joined with an object", "error", "next to", before="a: [1]", profile=f"{PROFILE}devices: ${{a}} {{@@ b: 1 }}"),
    Case("substitution as a key", "error", "key", profile=f"{PROFILE}${{a}}: 1@@"),
)  # fmt: skip

CASES = CURVES + FUNCTIONS + PROFILES + REALMS + FILES + SYNTAX + SUBSTITUTIONS
