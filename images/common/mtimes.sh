#!/bin/sh
# mtimes.sh FOLDER gives everything in a folder the time SOURCE_DATE_EPOCH. Besides step.sh, rpm's macro __arch_install_post runs
# it, before byte-compiled Python files take over the times of their sources.
set -eu
[ ! -d "$1" ] || find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
