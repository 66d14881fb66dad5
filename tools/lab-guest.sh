#!/bin/sh
# Makes the lab's guest from an unpacked kernel package and busybox: a kernel and initramfs for direct boot, and the
# same as a bootable brick. Needs no root, no mounts and no network.
#   lab-guest.sh UNPACKED OUTPUT    UNPACKED holds the files of the kernel and GRUB packages
set -eu
unpacked=$1
output=$2
sources=$(cd "$(dirname "$0")/../tests/lab/guest" && pwd)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$output"

# Debian keeps the kernel in /boot, Fedora beside its modules; Fedora's modules are compressed.
kernel=$(find "$unpacked" -name 'vmlinuz*' -type f | head -n 1)
[ -n "$kernel" ] || { echo "lab-guest: no kernel under $unpacked" >&2; exit 1; }

root=$work/root
mkdir -p "$root/bin" "$root/modules" "$root/proc" "$root/sys" "$root/dev"
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"; done
cp "$sources/init" "$root/init"
cp "$sources/lease" "$sources/greet" "$sources/agent" "$root/bin/"
chmod 755 "$root/init" "$root/bin/busybox" "$root/bin/lease" "$root/bin/greet" "$root/bin/agent"
# Built-in drivers have no file; the order is that of their dependencies.
for module in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover \
  virtio_net virtio_blk virtio_console button evdev; do
  file=$(find "$unpacked" -name "$module.ko*" -type f | head -n 1)
  case "$file" in
    '') continue ;;
    *.ko) cp "$file" "$root/modules/$module.ko" ;;
    *.xz) xz -dc "$file" > "$root/modules/$module.ko" ;;
    *.zst) zstd -qdc "$file" > "$root/modules/$module.ko" ;;
    *.gz) gzip -dc "$file" > "$root/modules/$module.ko" ;;
  esac
  echo "$module" >> "$root/modules/order"
done
(cd "$root" && find . | busybox cpio -o -H newc 2> /dev/null | gzip -9) > "$work/initrd"

# The brick: GRUB's boot sector and core image in front, one ext2 partition behind, as any BIOS machine expects it.
grub=$(find "$unpacked" -path '*/grub/i386-pc/boot.img' | head -n 1)
grub=${grub%/boot.img}
mkimage=$(find "$unpacked" -name 'grub*-mkimage' -type f | head -n 1)
[ -n "$grub" ] && [ -n "$mkimage" ] || { echo "lab-guest: no GRUB under $unpacked" >&2; exit 1; }
cat > "$work/grub.cfg" << 'CONFIG'
set root=(hd0,msdos1)
linux /vmlinuz console=ttyS0 quiet mitigations=off panic=1
initrd /initrd
boot
CONFIG
"$mkimage" -d "$grub" -O i386-pc -c "$work/grub.cfg" -p '(hd0,msdos1)' -o "$work/core.img" \
  biosdisk part_msdos ext2 linux
mkdir "$work/boot"
cp "$kernel" "$work/boot/vmlinuz"
cp "$work/initrd" "$work/boot/initrd"
# The boot image's last bytes are a floppy drive's code where the partition table belongs: only its first 440 count.
# Partition 1: bootable, type Linux, from sector 2048 for 129024 sectors; then the sector's signature.
{
  head -c 440 "$grub/boot.img"
  printf '\000\000\000\000\000\000\200\000\001\000\203\376\377\377\000\010\000\000\000\370\001\000'
  head -c 48 /dev/zero
  printf '\125\252'
  cat "$work/core.img"
} > "$work/disk"
truncate -s 64M "$work/disk"
mke2fs -q -t ext2 -d "$work/boot" -E offset=1048576 "$work/disk" 63M
qemu-img convert -f raw -O qcow2 -c "$work/disk" "$work/brick.qcow2"

cp "$kernel" "$output/vmlinuz"
mv "$work/initrd" "$work/brick.qcow2" "$output/"
