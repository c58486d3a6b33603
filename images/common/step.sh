#!/bin/sh
# step.sh BUILDROOT COMMAND... runs one script of a spec (%prep, %build, %install, or the one that copies %doc) as rpmbuild would.
# Then it sets the time of every file in BUILDROOT to SOURCE_DATE_EPOCH, because rpm writes these times into the packages. It is
# called by rpm's macro ___build_cmd, because kernel specs redefine __spec_install_post.
root=$1
shift
"$@" || exit
exec /usr/lib/namibuild/mtimes.sh "$root"
