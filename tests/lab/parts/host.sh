#!/bin/sh
# The first process of a lab host, in namespaces of its own: makes them look like a machine, starts its daemons and
# becomes its sshd.
#   host.sh FOLDER NAME ADDRESS BASE_PORT
set -eu
folder=$1 name=$2 address=$3 base_port=$4

mount --make-rprivate /
mount -t proc proc /proc # libvirtd looks its clients up there
mount -t sysfs sysfs /sys # as the new network namespace sees it
hostname "$name"
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/libvirt /run/sshd /run/lock
mount --bind "$folder/run" /run/libvirt
mount --bind "$folder/etc" /etc/libvirt
mount --bind "$folder/lib" /var/lib/libvirt
mount --bind "$folder/cache" /var/cache/libvirt
mount --bind "$folder/log" /var/log/libvirt
mount --bind "$folder/root" /root
mount --bind "$folder/hosts" /etc/hosts

# The lab puts the other end of eth0 on its bridge, then says go.
read -r go
[ "$go" = go ]
ip link set lo up
ip link add br0 address "$(cat /sys/class/net/eth0/address)" type bridge
ip link set eth0 master br0
ip link set eth0 up
ip link set br0 up
ip address add "$address/24" dev br0
echo 1 > /proc/sys/net/ipv4/conf/br0/arp_accept # learn guests' addresses from their gratuitous ARP

virtlogd -d
libvirtd -d
# Networks and pools are defined at the first start; at all others libvirtd has started them before it answers.
if [ -e "$folder/setup.virsh" ]; then
  virsh --quiet "$(cat "$folder/setup.virsh")"
  rm "$folder/setup.virsh"
fi
virsh --quiet net-list > /dev/null

# Static address translation: port base + last octet of the host's address is port 22 of a guest on the NAT network.
{
  echo "table ip lab { chain translation { type nat hook prerouting priority dstnat;"
  echo "ip daddr $address dnat ip to tcp dport map {"
  octet=2
  while [ "$octet" -lt 255 ]; do
    echo "$((base_port + octet)) : 192.168.122.$octet . 22,"
    octet=$((octet + 1))
  done
  echo "}"
  echo "}"
  echo "}"
} | nft -f -
iptables -I FORWARD -m conntrack --ctstate DNAT -j ACCEPT

: > "$folder/ready"
exec "$(command -v sshd)" -D -e -f "$folder/sshd_config"
