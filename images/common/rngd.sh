#!/bin/sh
# rngd.sh feeds the kernel's entropy pool from /dev/urandom. It is the main process of a container that has the right to do that
# and no other: root with CAP_SYS_ADMIN, which the RNDADDENTROPY ioctl needs. It exits with status 0 at the end of stdin, which
# means that the driver has ended, and on TERM and INT. If rngd fails, as it does at once if it may not add entropy, it exits with
# rngd's status and message. It must run in the shells of Debian 12 (dash) and CentOS 6 (bash 4.1 as sh).
set -u

rngd='' watch=''

# Process 1 receives only signals that it has a trap for, so the trap is set first.
# shellcheck disable=SC2317,SC2086 # the trap calls it; both variables may be empty
stop() {
    trap '' TERM INT HUP
    kill $rngd $watch 2>/dev/null
    exit 0
}
trap stop TERM INT HUP

# The stdin of a background command is /dev/null, so descriptor 3 is a copy of this script's stdin.
exec 3<&0
{
    cat <&3 >/dev/null
    kill -TERM $$
} &
watch=$!
exec 3<&-

# rngd runs in the foreground, because nobody sees a daemon fail: its parent has exited with 0 before. rngd adds entropy before it
# checks whether the pool needs any, so a missing right is found in the first second.
rngd -f -r /dev/urandom &
rngd=$!

wait "$rngd"
status=$?
kill "$watch" 2>/dev/null

# rngd ends by itself only if something is wrong, whatever its status is.
[ "$status" -ne 0 ] || status=1
exit "$status"
