#!/bin/sh
# mtimes.sh FOLDER sets the time of everything in a folder to SOURCE_DATE_EPOCH. step.sh runs it, and so does rpm's macro
# __arch_install_post, before the times of Python sources are copied into the byte-compiled files.
set -eu
[ ! -d "$1" ] || find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
