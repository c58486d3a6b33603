#!/bin/sh
# rpmbuild.sh MODES ARGS... runs rpmbuild ARGS on the only spec of the topdir, once for each of MODES ("-bb" or "-bs -bb"). It is the
# main process of a build container. With -ba instead of two runs, rpm would write the SRPM's digest into the packages.
#
# The driver keeps the stdin of this script open as long as it runs. The end of stdin, TERM and INT end everything that the script
# started; the exit status is then 143, or 130 after INT. Otherwise it is that of rpmbuild.
# Before the build, a line `@namibuild packages NAME...` on stdout says which packages the spec makes with these switches, as far as
# rpm knows (rpm 4.8 names all packages of the spec). Every few seconds a line `@namibuild objects N` says how many object files
# exist. The script must run in the shells of Debian 12 (dash) and CentOS 6 (bash 4.1 as sh).
set -u

topdir=${NAMIBUILD_TOPDIR:-/usr/src/namibuild/rpmbuild}
build='' watch='' count=''

# stop STATUS ends the build's process group, which it kills after two seconds, and exits. The traps run it. Process 1 receives
# only signals that it has a trap for, so the traps are set first.
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
    # shellcheck disable=SC2086 # both may be empty
    kill $watch $count 2>/dev/null
    exit "$1"
}
trap 'stop 143' TERM HUP
trap 'stop 130' INT

# The stdin of a background command is /dev/null, so descriptor 3 is a copy of this script's stdin.
exec 3<&0
{
    cat <&3 >/dev/null
    kill -TERM $$
} &
watch=$!
exec 3<&-

# The root file system is read-only, and rpm's %_tmppath is /var/tmp by default. So all temporary files go to the topdir.
HOME=$topdir
TMPDIR=$topdir/TMP
export HOME TMPDIR
cd "$topdir" || exit 1
mkdir -p BUILD BUILDROOT RPMS SOURCES SPECS SRPMS TMP || exit 1

modes=$1
shift

set -- --define "_topdir $topdir" --define "_tmppath $TMPDIR" "$@"

# Debian's rpm has a database in $HOME, which is empty, so that no BuildRequires could be satisfied. A database that cannot be read
# is an error, which rpm 4.8 reports on stderr and not by its status.
installed=$(rpm -qa 2>TMP/rpm-qa)
status=$?
if [ "$status" -ne 0 ] || { [ -z "$installed" ] && [ -s TMP/rpm-qa ]; }; then
    cat TMP/rpm-qa >&2
    stop 1
fi
if [ -z "$installed" ]; then
    set -- "$@" --nodeps
fi

# packages prints the names of the packages. It passes those of rpmbuild's arguments on that a query understands.
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

# rpmbuild will report a spec that cannot be read.
if names=$(packages "$@" </dev/null 2>/dev/null) && [ -n "$names" ]; then
    echo "@namibuild packages $names"
fi

# objects prints the number of object files. It does not search folders that have none: vanilla-* (the unchanged copy of the tree),
# documentation, headers, other architectures. That leaves 3,300 of the 10,400 folders of a 6.1 kernel and takes 0.1 s of processor
# time, which every 6 s is less than one percent of two processors.
objects() {
    find BUILD \( -name 'vanilla-*' -o -name Documentation -o -name include -o -path '*/arch/[!x]*' \) -prune \
        -o -name '*.o' -print 2>/dev/null | wc -l
}

while sleep 6; do
    echo "@namibuild objects $(($(objects)))"
done &
count=$!

# run PROGRAM... runs a program in its own process group, so that one signal reaches make and all its compilers.
run() {
    setsid "$@" </dev/null &
    build=$!
    wait "$build"
}

# The kernel's tarball is not compressed, whatever its name says, because rpm looks only at the content. People who unpack an SRPM
# look at the name, so the tarball in an SRPM is compressed, with the program that is used for kernels' tarballs. The uncompressed
# one is moved to TMP until the build, which would only decompress it again.
# shellcheck disable=SC2016 # the shell that runs it expands it
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
