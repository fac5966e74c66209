#!/bin/sh
# Runs in a new mount and network namespace, furnishes both, and holds them until it is killed.
# Nothing of it is visible outside: every mount below is private, and the host's folders get no new entries.
# Usage: holder.sh FOLDER ADDRESS BALANCERS SERVICES
set -eu
folder=$1 address=$2 balancers=$3 services=$4

# Puts a private folder in place of one of the host's, with the same content, and with folders of the node's own in it.
# Usage: shade FOLDER NAME...
shade() {
  shaded=$1
  shift
  mkdir -p "/run/shaded$shaded"
  mount --rbind "$shaded" "/run/shaded$shaded"
  mount -t tmpfs -o mode=755 shade "$shaded"
  for own in "$@"; do mkdir "$shaded/$own"; done
  for entry in "/run/shaded$shaded"/* "/run/shaded$shaded"/.[!.]*; do
    target=$shaded/${entry##*/}
    if [ -L "$entry" ]; then
      [ -e "$target" ] || cp -P "$entry" "$target"
    elif [ -d "$entry" ]; then
      [ -e "$target" ] || { mkdir "$target" && mount --rbind "$entry" "$target"; }
    fi
  done
  umount -l "/run/shaded$shaded"
}

# containerd, CNI and the kubelet keep sockets, locks and network namespaces in /run.
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/netns /run/lock
shade /var/lib kubelet cni
shade /var/log pods containers
mount --bind "$folder/kubelet" /var/lib/kubelet
mount --bind "$folder/log/pods" /var/log/pods
mount --bind "$folder/log/containers" /var/log/containers
# The kubelet sets these for the whole kernel. It finds them as it wants them, and the host's stay as they are.
for file in "$folder"/tunables/*; do
  name=$(basename "$file" | tr . /)
  [ ! -e "/proc/sys/$name" ] || mount --bind "$file" "/proc/sys/$name"
done
[ ! -d "$folder/processors" ] || mount --bind "$folder/processors" /sys/devices/system/node
# The kubelet shares its mounts with containers. Only now, so that none of the above is made twice.
mount --make-rshared /

ip link set lo up
ip link add node0 type bridge
ip address add "$address/24" dev node0
ip link set node0 up
ip route add "$balancers" dev node0
# Without a route there is no packet that kube-proxy could translate, however local the Service.
ip route add "$services" dev node0
# These belong to the network namespace.
for setting in net/ipv4/ip_forward net/bridge/bridge-nf-call-iptables net/ipv4/conf/all/route_localnet; do
  echo 1 >"/proc/sys/$setting"
done

: >"$folder/ready"
# The shell stays: by its arguments the process is known.
while :; do sleep 2147483 & wait; done
