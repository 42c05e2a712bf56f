#!/bin/sh
# Devices that are plugged in later and whose driver is not loaded yet.
[ "$ACTION" = add ] && [ -n "$MODALIAS" ] && exec modprobe -b -q "$MODALIAS"
exit 0
