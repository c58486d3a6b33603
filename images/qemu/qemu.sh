#!/bin/sh
# qemu.sh ARGS... runs qemu-system-x86_64 ARGS in the folder of the guest's files. It is the main process of a container.
#
# The driver keeps the stdin of this script open as long as it runs. The end of stdin, TERM and INT end QEMU; the exit status is
# then 143. Otherwise it is that of QEMU.
set -u

qemu='' watch=''

# Process 1 receives only signals that it has a trap for, so the trap is set first.
# shellcheck disable=SC2317,SC2086 # the trap calls it; both variables may be empty
stop() {
    trap '' TERM INT HUP
    kill -KILL $qemu 2>/dev/null
    kill $watch 2>/dev/null
    exit 143
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

cd /usr/src/namibuild/boot || exit 1
qemu-system-x86_64 "$@" </dev/null &
qemu=$!

wait "$qemu"
status=$?
kill "$watch" 2>/dev/null
exit "$status"
