#!/bin/sh
# step.sh BUILDROOT COMMAND... runs one script of a spec (%prep, %build, %install, what copies %doc) as rpmbuild would, and gives
# every file that is in BUILDROOT then the time SOURCE_DATE_EPOCH: rpm writes these times into the packages. It is rpm's macro
# ___build_cmd, because kernel specs write __spec_install_post anew.
root=$1
shift
"$@" || exit
exec /usr/lib/namibuild/mtimes.sh "$root"
