#!/bin/sh
# Run once, before the agent. The root is read-only: what must survive a reboot is on the third partition, all
# else in memory. Users' private keys are never on the disk.
export PATH=/usr/sbin:/usr/bin
mount -t tmpfs -o nosuid,nodev,mode=755 run /run
mount -t tmpfs -o nosuid,nodev,mode=1777 tmp /tmp
mount -t tmpfs -o nosuid,nodev,mode=755,size=50% var /var
mkdir -p /var/log /var/lib/octavia /var/lib/haproxy /var/tmp /run/netns /run/haproxy /run/rsyslog.d /run/state /run/root /dev/pts /dev/shm
ln -s /run /var/run
mount -t devpts -o mode=620,gid=5 pts /dev/pts
mount -t tmpfs -o nosuid,nodev shm /dev/shm
mount -t cgroup2 cgroup /sys/fs/cgroup 2>/dev/null
hostname amphora
ip link set dev lo up
echo 1 >/proc/sys/kernel/panic_on_oops
echo 10 >/proc/sys/kernel/panic

modprobe -a -q virtio_pci virtio_net virtio_blk virtio_rng ext4 2>/dev/null
root=$(awk '$2 == "/" && $3 == "squashfs" { print $1 }' /proc/mounts)
if ! mount -t ext4 -o nosuid,nodev,noatime "${root%2}3" /run/state; then
  echo 'octavia-lite: the partition for state cannot be mounted: what the agent knows is lost at the next reboot'
  mount -t tmpfs -o nosuid,nodev,mode=700 state /run/state
fi
mkdir -p -m 700 /run/state/etc /run/state/lib
mount --bind /run/state/etc /etc/octavia
mount --bind /run/state/lib /var/lib/octavia
mkdir -p /var/lib/octavia/certs
mount -t tmpfs -o nosuid,nodev,noexec,mode=700 certs /var/lib/octavia/certs

# What the virtual hardware asks for. Twice: the buses of virtio and SCSI appear only when the first round has
# loaded their PCI drivers. The file systems are those of config drives.
coldplug() { find /sys/devices -name modalias -exec cat {} + 2>/dev/null | sort -u | xargs -r modprobe -a -b -q 2>/dev/null; }
(
  coldplug
  modprobe -a -q sr_mod sd_mod isofs vfat nls_cp437 nls_ascii nls_iso8859-1 button evdev
  coldplug
  # It listens to the buttons that are there when it starts.
  exec acpid -d -c /etc/acpi
) >/dev/null 2>&1 &
uevent /etc/hotplug.sh >/dev/null 2>&1 &
