#!/bin/sh
# The power button, which is how a compute service asks a server to stop.
exec /sbin/poweroff
