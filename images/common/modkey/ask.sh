# shellcheck shell=sh
# The stand-ins beside this file use these functions to ask the driver, through relay.sh, for what needs the private key. They run
# in dash and in bash 4.1.
set -eu
modkey=/tmp/namibuild-modkey

die() {
    echo "${0##*/} (namibuild's stand-in): $1" >&2
    exit 2
}

# own PROGRAM... -- ARG... runs the first of the image's own programs that exists, with these arguments.
own() {
    programs=''
    while [ "$1" != -- ]; do
        programs="$programs $1"
        shift
    done
    shift
    for program in $programs; do
        [ ! -x "$program" ] || exec "$program" "$@"
    done
    die "the image has none of$programs"
}

# ask REQUEST sets $answer to the driver's answer, in base64.
ask() {
    # In a fast build relay.sh may not have started yet.
    tries=0
    until [ -p "$modkey/requests" ]; do
        tries=$((tries + 1))
        [ "$tries" -le 100 ] || die 'the driver does not answer'
        sleep 0.1
    done
    reply=$modkey/reply.$$
    mkfifo -m 600 "$reply"
    exec 4<>"$reply"
    printf '%s %s\n' $$ "$1" >"$modkey/requests"
    read -r how answer <&4
    exec 4<&-
    rm -f "$reply"
    [ "$how" = ok ] || die "$answer"
}

# answered prints the decoded answer.
answered() { printf '%s' "$answer" | base64 -d; }
