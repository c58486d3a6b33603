#!/bin/sh
# relay.sh carries lines between the stand-ins beside it and the driver, which holds this script's stdin and stdout: what a
# stand-in writes to the pipe `requests` goes out; `NUMBER ANSWER` that comes in goes to the pipe reply.NUMBER, which
# the stand-in made and holds open. Ends when stdin does. Everything is in /tmp, which is memory and goes with the container.
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
    # both ends, so that nothing waits here for one that is no more
    [ ! -p "$dir/reply.$number" ] || printf '%s\n' "$answer" 1<>"$dir/reply.$number"
done
