#!/bin/sh
# relay.sh relays lines between the stand-ins beside it and the driver, which is at the other end of its stdin and stdout. What a
# stand-in writes to the pipe `requests` goes to stdout. Of a line `NUMBER ANSWER` on stdin, the answer goes to the pipe
# reply.NUMBER, which the stand-in has created and keeps open. The script ends when stdin does. The pipes are in /tmp, which is in
# memory and ends with the container.
set -eu
dir=/tmp/namibuild-modkey
mkdir -m 700 "$dir"
mkfifo -m 600 "$dir/requests.new"
exec 3<>"$dir/requests.new"
cat <&3 &
cat=$!
trap 'kill "$cat"; rm -rf "$dir"' EXIT
mv "$dir/requests.new" "$dir/requests" # ready
while read -r number answer; do
    # The pipe is opened for reading, too, so that this does not wait for a stand-in that has ended.
    [ ! -p "$dir/reply.$number" ] || printf '%s\n' "$answer" 1<>"$dir/reply.$number"
done
