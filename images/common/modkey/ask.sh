# shellcheck shell=sh
# What the stand-ins share: they ask the driver, through relay.sh, for what a private key would be needed for. Run by dash and
# by bash 4.1.
set -eu
modkey=/tmp/namibuild-modkey

die() {
    echo "${0##*/} (namibuild's stand-in): $1" >&2
    exit 2
}

# own PROGRAM... runs the first of the image's own programs that is there, with the arguments in "$@" after --.
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

# ask QUESTION puts the driver's answer, in base64, into $answer.
ask() {
    # relay.sh may not have begun when a build is quick.
    tries=0
    until [ -p "$modkey/requests" ]; do
        tries=$((tries + 1))
        [ "$tries" -le 100 ] || die 'the driver does not listen'
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

# answered prints the answer's bytes.
answered() { printf '%s' "$answer" | base64 -d; }
