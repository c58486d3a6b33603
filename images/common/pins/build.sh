#!/bin/sh
# build.sh DIR compiles the pins and the other libraries beside it into DIR with the image's own compiler: gcc 4.4 with glibc 2.12
# as well as today's. The files and DIR get the time SOURCE_DATE_EPOCH, so that two builds of an image are alike.
set -eu
dir=$1
here=$(dirname "$0")
epoch=${SOURCE_DATE_EPOCH:-0}

# compile PIN SOURCE [OPTION...]
compile() {
    pin=$1 source=$2
    shift 2
    gcc -m64 -std=gnu89 -O2 -fPIC -shared -Wall "$@" -o "$dir/$pin.so" "$here/$source" -ldl
}
mkdir -p "$dir"
compile clock clock.c
compile stat stat.c
compile order order.c
compile shuffle order.c -DSHUFFLE
compile date date.c -DDATE "$here/clock.c" "$here/stat.c"
compile signfile signfile.c

# One that does not load is passed over with a warning and would hold nothing.
all=$(printf "$dir/%s.so:" clock stat order shuffle date signfile)
said=$(SOURCE_DATE_EPOCH=1 LD_PRELOAD=$all date -u +%s 2>&1)
if [ "$said" != 1 ]; then
    echo "build.sh: the pins do not work here: $said" >&2
    exit 1
fi
touch -h -d "@$epoch" "$dir"/*.so "$dir"
