#!/bin/sh
# What a lease says, onto the management interface.
case "$1" in
  deconfig)
    ip link set dev "$interface" up
    ;;
  bound | renew)
    ip -4 addr replace "$ip/${mask:-24}" broadcast "${broadcast:-+}" dev "$interface"
    [ -n "$mtu" ] && ip link set dev "$interface" mtu "$mtu"
    if [ -n "$staticroutes" ]; then
      set -- $staticroutes
      while [ $# -ge 2 ]; do
        ip -4 route replace "$1" via "$2" dev "$interface" onlink
        shift 2
      done
    else
      for gateway in $router; do
        ip -4 route replace default via "$gateway" dev "$interface"
        break
      done
    fi
    for server in $dns; do echo "nameserver $server"; done >/run/resolv.conf
    ;;
esac
