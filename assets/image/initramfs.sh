#!/bin/busybox sh
# The first program: finds the disk of this image by the signature in its boot record, mounts the root on it
# read-only and hands over. A user's disk is never taken for it, whatever is on that.
B=/bin/busybox
$B mount -t devtmpfs dev /dev
$B mount -t proc proc /proc
$B mount -t sysfs sys /sys
for module in $($B cat /modules.order); do $B insmod "/modules/$module" 2>/dev/null; done
signature=@SIGNATURE@
tries=0 root=
while [ -z "$root" ] && [ $tries -lt 300 ]; do
  for path in /sys/block/*; do
    disk=${path##*/}
    case $disk in loop* | ram* | sr* | fd* | zram*) continue ;; esac
    [ "$($B dd if=/dev/$disk bs=4 skip=110 count=1 2>/dev/null | $B hexdump -v -e '/1 "%02x"')" = "$signature" ] || continue
    for part in ${disk}2 ${disk}p2; do [ -b /dev/$part ] && root=/dev/$part; done
  done
  [ -n "$root" ] || { tries=$((tries + 1)); $B usleep 50000; }
done
if [ -z "$root" ] || ! $B mount -t squashfs -o ro "$root" /root; then
  echo 'octavia-lite: the root of the image cannot be found'
  $B sleep 5
  $B reboot -f
fi
for folder in dev proc sys; do $B mount --move /$folder /root/$folder; done
exec $B switch_root /root /sbin/init
