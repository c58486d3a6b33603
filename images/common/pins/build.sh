#!/bin/sh
# build.sh DIR compiles the pins, and the library signfile.so, into DIR with the image's own compiler. It works with gcc 4.4 and
# glibc 2.12 as well as with today's. The files and DIR get the time SOURCE_DATE_EPOCH, so that two builds of an image are equal.
set -eu
dir=$1
here=$(dirname "$0")
epoch=${SOURCE_DATE_EPOCH:-0}

# images/vary/preload.sh uses the same options of gcc.
mkdir -p "$dir"
for pin in clock stat order signfile; do
    gcc -m64 -std=gnu89 -O2 -fPIC -shared -Wall -o "$dir/$pin.so" "$here/$pin.c" -ldl
done

# ld.so ignores a library that it cannot load, with a warning, and the build would then lack a pin.
said=$(SOURCE_DATE_EPOCH=1 LD_PRELOAD=$(printf "$dir/%s.so:" clock stat order signfile) date -u +%s 2>&1)
if [ "$said" != 1 ]; then
    echo "build.sh: the pins do not work here: $said" >&2
    exit 1
fi
touch -h -d "@$epoch" "$dir"/*.so "$dir"
