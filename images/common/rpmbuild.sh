#!/bin/sh
# rpmbuild.sh MODES ARGS... runs rpmbuild ARGS on the one spec of the topdir, once for each of MODES ("-bb", "-bs -bb"): the main
# process of a build container. Apart, they do not know of each other: -ba would put the SRPM's digest into the packages.
#
# The driver holds this script's stdin open as long as it lives. End of file on stdin, TERM or INT end everything that was
# started here; the exit status is then 143 (130 after INT), otherwise it is rpmbuild's own.
# A line `@namibuild packages NAME...` on stdout tells before the build which packages the spec makes with these switches, as far
# as rpm knows that (4.8: whatever the spec names), and `@namibuild objects N` every few seconds how many object files there
# are. It must run under the shells of Debian 12 (dash) and CentOS 6 (bash 4.1 as sh).
set -u

topdir=${NAMIBUILD_TOPDIR:-/usr/src/namibuild/rpmbuild}
build='' watch='' count=''

# stop STATUS is what the traps run: it ends the build's group, gives it two seconds to go, and exits. Process 1 gets no
# signal that it has no trap for, so the traps come first.
# shellcheck disable=SC2317
stop() {
    trap '' TERM INT HUP
    if [ -n "$build" ]; then
        kill -TERM "-$build" 2>/dev/null
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            kill -0 "-$build" 2>/dev/null || break
            sleep 0.2
        done
        kill -KILL "-$build" 2>/dev/null
    fi
    # shellcheck disable=SC2086 # either may be empty
    kill $watch $count 2>/dev/null
    exit "$1"
}
trap 'stop 143' TERM HUP
trap 'stop 130' INT

# A background command's stdin is /dev/null, hence the copy as descriptor 3.
exec 3<&0
{
    cat <&3 >/dev/null
    kill -TERM $$
} &
watch=$!
exec 3<&-

# The root file system is read-only and rpm's %_tmppath is /var/tmp by default: everything temporary goes to the topdir.
HOME=$topdir
TMPDIR=$topdir/TMP
export HOME TMPDIR
cd "$topdir" || exit 1
mkdir -p BUILD BUILDROOT RPMS SOURCES SPECS SRPMS TMP || exit 1

modes=$1
shift

set -- --define "_topdir $topdir" --define "_tmppath $TMPDIR" "$@"

# Debian's rpm keeps a database in $HOME, empty at first, by which no BuildRequires could ever be met. One that cannot be read
# is an error; rpm 4.8 says so on stderr alone.
installed=$(rpm -qa 2>TMP/rpm-qa)
status=$?
if [ "$status" -ne 0 ] || { [ -z "$installed" ] && [ -s TMP/rpm-qa ]; }; then
    cat TMP/rpm-qa >&2
    stop 1
fi
if [ -z "$installed" ]; then
    set -- "$@" --nodeps
fi

# packages prints the names; of rpmbuild's arguments it takes those that a query understands.
packages() {
    n=$#
    while [ "$n" -gt 0 ]; do
        case $1 in
        --define | --target) set -- "$@" "$1" "$2" ;;
        --with) set -- "$@" --define "_with_$2 --with-$2" ;;
        --without) set -- "$@" --define "_without_$2 --without-$2" ;;
        *) shift && n=$((n - 1)) && continue ;;
        esac
        shift 2
        n=$((n - 2))
    done
    if command -v rpmspec >/dev/null; then
        rpmspec -q --builtrpms --qf '%{name} ' "$@" SPECS/*.spec
    else
        rpm -q --qf '%{name} ' "$@" --specfile SPECS/*.spec
    fi
}

# A spec that cannot be read is rpmbuild's to complain of.
if names=$(packages "$@" </dev/null 2>/dev/null) && [ -n "$names" ]; then
    echo "@namibuild packages $names"
fi

# objects prints the number of object files. Left out is what holds none: vanilla-* (the untouched copy of the tree),
# documentation, headers, other architectures. That leaves 3,300 of 10,400 directories of a 6.1 kernel, 0.1 s of processor time;
# every 6 s that is less than one per cent of two processors.
objects() {
    find BUILD \( -name 'vanilla-*' -o -name Documentation -o -name include -o -path '*/arch/[!x]*' \) -prune \
        -o -name '*.o' -print 2>/dev/null | wc -l
}

while sleep 6; do
    echo "@namibuild objects $(($(objects)))"
done &
count=$!

# run runs a program in a process group of its own, so that one signal reaches make and all its compilers.
run() {
    setsid "$@" </dev/null &
    build=$!
    wait "$build"
}

# The kernel's tarball comes plain, whatever its name says: rpm goes by the content. Who unpacks an SRPM by hand goes by the
# name, so there it is packed, with what kernels' tarballs are packed with; the plain one waits in TMP for the build, which would only unpack it again.
# shellcheck disable=SC2016 # for the shell that runs it
pack='
mkdir TMP/plain || exit 1
for file in SOURCES/*; do
    [ "$(dd if="$file" bs=1 skip=257 count=5 2>/dev/null)" = ustar ] || continue
    case $file in
    *.bz2 | *.tbz | *.tbz2) by=$(command -v lbzip2 || echo bzip2) ;;
    *.xz | *.txz) by="xz -T 2" ;;
    *.gz | *.tgz) by="gzip -n" ;;
    *) continue ;;
    esac
    plain=TMP/plain/${file##*/}
    mv "$file" "$plain" && $by <"$plain" >"$file" && chmod --reference "$plain" "$file" && touch -r "$plain" "$file" || exit 1
done'

for mode in $modes; do
    if [ "$mode" = -bs ]; then
        run sh -c "$pack"
        status=$?
        [ "$status" -eq 0 ] || break
    fi
    run rpmbuild "$mode" "$@" SPECS/*.spec
    status=$?
    [ "$status" -eq 0 ] || break
    if [ "$mode" = -bs ]; then
        for plain in TMP/plain/*; do
            [ ! -f "$plain" ] || mv "$plain" SOURCES/ || stop 1
        done
    fi
done
kill "$watch" "$count" 2>/dev/null
exit "$status"
