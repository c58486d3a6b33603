#!/bin/sh
# qemu.sh ARGS... runs qemu-system-x86_64 ARGS in the folder of the guest's files: the main process of a container.
#
# The driver holds this script's stdin open as long as it lives. End of file on stdin, TERM or INT end QEMU; the exit status is
# then 143, otherwise it is QEMU's own.
set -u

qemu='' watch=''

# Process 1 gets no signal that it has no trap for, so the trap comes first.
# shellcheck disable=SC2317,SC2086 # the trap runs it; either may be empty
stop() {
    trap '' TERM INT HUP
    kill -KILL $qemu 2>/dev/null
    kill $watch 2>/dev/null
    exit 143
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

cd /usr/src/namibuild/boot || exit 1
qemu-system-x86_64 "$@" </dev/null &
qemu=$!

wait "$qemu"
status=$?
kill "$watch" 2>/dev/null
exit "$status"
