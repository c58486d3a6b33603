#!/bin/sh
# preload.sh "LIBRARY..." COMMAND [ARGUMENT...] compiles the libraries (shuffle, date) beside itself with the container's own
# compiler, preloads them below the libraries that are preloaded already, and runs the command in its own place.
# Nothing in this folder is part of a builder image: builder/vary sends it into the container of a varied build, together with
# images/common/pins, whose sources the libraries share.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
pins=$here/../common/pins
libraries=$1
shift

# compile LIBRARY [ARGUMENT...] uses the options of pins/build.sh.
compile() {
    library=$1
    shift
    gcc -m64 -std=gnu89 -O2 -fPIC -shared -Wall -o "$here/$library.so" "$here/$library.c" "$@" -ldl
}
preload=${LD_PRELOAD-}
for library in $libraries; do
    case $library in
    shuffle) compile shuffle ;;
    date) compile date -DDATE "$pins/clock.c" "$pins/stat.c" ;;
    *) echo "preload.sh: no such library: $library" >&2 && exit 1 ;;
    esac
    preload=${preload:+$preload:}$here/$library.so
done

# ld.so ignores a library that it cannot load, with a warning, and the build would then not be varied.
said=$(LD_PRELOAD=$preload /bin/true 2>&1)
if [ -n "$said" ]; then
    echo "preload.sh: the libraries do not work here: $said" >&2
    exit 1
fi
LD_PRELOAD=$preload
export LD_PRELOAD
exec "$@"
