#!/bin/sh
# rngd.sh feeds the kernel's entropy pool from /dev/urandom, as the main process of a container that may do just that: root with
# CAP_SYS_ADMIN (the RNDADDENTROPY ioctl asks for it). Ends with status 0 when stdin reaches end of file, which means
# that the driver is gone, or on TERM or INT; with rngd's own status and message when rngd gives up, as it does at once
# when it may not add entropy. It must run under the shells of Debian 12 (dash) and CentOS 6 (bash 4.1 as sh).
set -u

rngd='' watch=''

# Process 1 gets no signal that it has no trap for, so the trap comes first.
# shellcheck disable=SC2317,SC2086 # the trap runs it; either may be empty
stop() {
    trap '' TERM INT HUP
    kill $rngd $watch 2>/dev/null
    exit 0
}
trap stop TERM INT HUP

# A background command's stdin is /dev/null, hence the copy as descriptor 3.
exec 3<&0
{
    cat <&3 >/dev/null
    kill -TERM $$
} &
watch=$!
exec 3<&-

# In the foreground, for a daemon's failure is silent: its parent has returned 0 by then. rngd adds entropy before it looks
# whether the pool wants any, so a missing right shows in the first second.
rngd -f -r /dev/urandom &
rngd=$!

wait "$rngd"
status=$?
kill "$watch" 2>/dev/null

# rngd does not end of its own accord while all is well, whatever it returns.
[ "$status" -ne 0 ] || status=1
exit "$status"
