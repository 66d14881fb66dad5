#!/bin/sh
# Installs what the lab of tests/lab/ needs, and makes its guest. Quick when all is there.
#
# The machine itself is left as it was: no service that was not running is started or enabled, and the guest's kernel
# and boot loader are only unpacked into a cache folder, so that the machine's own boot isn't touched.
set -eu
cache=${REALMS_LAB_CACHE:-/var/cache/libvirt-realms-lab}
here=$(cd "$(dirname "$0")" && pwd)
services="libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirt-guests.service
  virtlogd.socket virtlogd-admin.socket virtlockd.socket virtlockd-admin.socket
  virtqemud.socket virtqemud-ro.socket virtqemud-admin.socket virtnetworkd.socket virtstoraged.socket
  ssh.service ssh.socket sshd.service dnsmasq.service nftables.service glusterd.service"

say() { echo "lab-setup: $*"; }
fail() { say "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "needs root: run it again as root"
[ "$(uname -m)" = x86_64 ] || fail "the lab's guest is made for x86_64, this machine is $(uname -m)"

scratch=$(mktemp -d)
blocker=
leave_no_trace() {
  [ -z "$blocker" ] || rm -f "$blocker"
  rm -rf "$scratch"
}
trap leave_no_trace EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# What a package enables while it is installed is disabled again, unless it was enabled before.
enabled_services() {
  if command -v systemctl > /dev/null; then
    for service in $services; do
      [ "$(systemctl is-enabled "$service" 2> /dev/null)" != enabled ] || echo "$service"
    done
  fi
}

disable_new_services() {
  enabled_services | while read -r service; do
    grep -qxF "$service" "$scratch/enabled" || systemctl disable --now "$service" > /dev/null 2>&1 || true
  done
}

# Debian's packages ask this program before they start a service; 101 forbids it.
forbid_starting() {
  [ ! -e /usr/sbin/policy-rc.d ] || return 0
  blocker=/usr/sbin/policy-rc.d
  printf '#!/bin/sh\nexit 101\n' > "$blocker"
  chmod 755 "$blocker"
}

apt_missing() {
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'ok installed' || echo "$package"
  done
}

install_with_apt() {
  # A machine that has another Java runtime needs no second one.
  java=
  command -v java > /dev/null || java=default-jre-headless
  # shellcheck disable=SC2046,SC2086  # a list of words
  missing=$(apt_missing libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86 qemu-utils \
    openssh-server openssh-client dnsmasq-base iproute2 iptables nftables netcat-openbsd busybox-static e2fsprogs \
    util-linux xz-utils libtypesafe-config-java tmux glusterfs-server glusterfs-client $java)
  if [ -n "$missing" ]; then
    say "installing" $missing
    refresh_apt
    forbid_starting
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $missing > "$scratch/log" 2>&1 ||
      fail "apt-get install failed: $(grep '^E:' "$scratch/log" | head -n 1)"
  fi
}

refresh_apt() {
  [ -e "$scratch/refreshed" ] || apt-get update -qq > "$scratch/log" 2>&1 ||
    fail "apt-get update failed: $(head -n 1 "$scratch/log")"
  : > "$scratch/refreshed"
}

unpack_with_apt() {
  refresh_apt
  kernel=$(apt-cache depends linux-image-cloud-amd64 2> /dev/null | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p' | head -n 1)
  # Ubuntu has no such package: its kernel for virtual machines serves.
  [ -n "$kernel" ] || kernel=$(apt-cache depends linux-image-virtual 2> /dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
  [ -n "$kernel" ] || fail "apt knows neither linux-image-cloud-amd64 nor linux-image-virtual"
  modules=
  case "$kernel" in *-generic) modules=linux-modules-${kernel#linux-image-} ;; esac
  # shellcheck disable=SC2086
  (cd "$scratch" && apt-get download -qq "$kernel" $modules grub-pc-bin grub-common > log 2>&1) ||
    fail "apt-get download failed: $(grep '^E:' "$scratch/log" | head -n 1)"
  for package in "$scratch"/*.deb; do dpkg -x "$package" "$scratch/unpacked"; done
}

install_with_dnf() {
  missing=
  for package in libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-driver-network libvirt-daemon-driver-nwfilter \
    libvirt-daemon-driver-storage-core libvirt-client qemu-kvm qemu-img openssh-server openssh-clients dnsmasq iproute \
    iptables-nft nftables netcat busybox e2fsprogs util-linux xz zstd cpio tmux java-headless; do
    rpm -q --whatprovides "$package" > /dev/null 2>&1 || missing="$missing $package"
  done
  if [ -n "$missing" ]; then
    say "installing$missing"
    # shellcheck disable=SC2086
    dnf install -q -y --setopt=install_weak_deps=False $missing > "$scratch/log" 2>&1 ||
      fail "dnf install failed: $(grep -i '^error' "$scratch/log" | head -n 1)"
  fi
}

unpack_with_dnf() {
  mkdir -p "$scratch/unpacked"
  (cd "$scratch" && dnf download -q kernel-core kernel-modules-core grub2-pc-modules grub2-tools-minimal > log 2>&1) ||
    fail "dnf download failed: $(head -n 1 "$scratch/log")"
  for package in "$scratch"/*.rpm; do
    (cd "$scratch/unpacked" && rpm2cpio "$package" | cpio -idm --quiet)
  done
}

enabled_services > "$scratch/enabled"
if command -v apt-get > /dev/null; then
  system=apt
elif command -v dnf > /dev/null; then
  system=dnf
else
  fail "knows apt and dnf only: install the packages named in $0 by hand"
fi

install_with_"$system"
disable_new_services

# The guest is made again where what it is made from has changed.
recipe=$(cat "$here/lab-guest.sh" "$here"/../tests/lab/guest/* | sha256sum | cut -d ' ' -f 1)
if [ "$(cat "$cache/recipe" 2> /dev/null)" = "$recipe" ]; then
  say "all is there"
else
  say "making the guest in $cache"
  unpack_with_"$system"
  mkdir -p "$cache"
  rm -f "$cache/recipe"
  "$here/lab-guest.sh" "$scratch/unpacked" "$cache"
  echo "$recipe" > "$cache/recipe"
  say "done: make lab"
fi
