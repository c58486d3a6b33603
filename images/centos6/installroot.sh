#!/bin/bash
# installroot.sh TARGET makes the root file system of a CentOS 6.5 builder in the folder TARGET, with yum and the files beside this
# script. VAULT is the address of the vault, SOURCE_DATE_EPOCH the time of the files that belong to no package. It runs as root in a
# centos:6.10 container.
set -eu

target=$1
here=/usr/src/centos6

# Before each script rpm and yum close every descriptor up to the limit. With a limit of 2^30 that takes hours.
[ "$(ulimit -n)" -le 4096 ] 2>/dev/null || ulimit -n 4096

# One key signs all of 6.5. rpm trusts whatever key is in this file, so the fingerprint is checked first.
want=C1DAC52D1664E8A4386DBA430946FCA2C105B9DE
mkdir -m 700 /tmp/gnupg
got=$(gpg --homedir /tmp/gnupg --with-colons --with-fingerprint "$here/RPM-GPG-KEY-CentOS-6" |
    awk -F: '$1 == "fpr" { print $10 }')
if [ "$got" != "$want" ]; then
    echo "installroot.sh: RPM-GPG-KEY-CentOS-6: fingerprint got $got, want $want" >&2
    exit 1
fi

# The scripts of packages write to /dev/null, and rpm's crypto library reads /dev/urandom.
mkdir -p "$target/dev"
mknod -m 666 "$target/dev/null" c 1 3
mknod -m 666 "$target/dev/zero" c 1 5
mknod -m 666 "$target/dev/random" c 1 8
mknod -m 666 "$target/dev/urandom" c 1 9

touch /tmp/start
sed "s|@VAULT@|${VAULT%/}|" "$here/yum.conf" >/tmp/yum.conf
# shellcheck disable=SC2046 # one word for each package
yum -c /tmp/yum.conf --installroot="$target" install $(grep -v '^#' "$here/packages")

# yum succeeds if it finds only some of the names.
# shellcheck disable=SC2046
chroot "$target" rpm -q $(grep -v '^#' "$here/packages")

# 6.10's rpm has written the database, so 6.5's rpm rebuilds it. The __db files belong to this machine.
chroot "$target" rpm --rebuilddb
rm -f "$target"/var/lib/rpm/__db.*

mkdir -p "$target/usr/lib/namibuild"
bash "$here/buildroot.sh" "$target" "$target/var/cache/yum" >"$target/usr/lib/namibuild/buildroot"

dist=$(chroot "$target" rpm --eval '%{?dist}')
release=$(chroot "$target" rpm -q --qf '%{VERSION}-%{RELEASE}' centos-release)
rm -f "$target"/var/lib/rpm/__db.*
case "$dist $release" in
'.el6 6-5.'*) ;;
*)
    echo "installroot.sh: not a CentOS 6.5: dist macro '$dist', centos-release $release" >&2
    exit 1
    ;;
esac

echo 'builder:x:1000:1000:namibuild:/usr/src/namibuild/rpmbuild:/bin/sh' >>"$target/etc/passwd"
echo 'builder:x:1000:' >>"$target/etc/group"
mkdir -p "$target/usr/src/namibuild/rpmbuild"
chown 1000:1000 "$target/usr/src/namibuild/rpmbuild"

# The engine mounts over these, and creates missing ones with the current time.
rm -rf "${target:?}"/dev/*
mkdir -p "$target/dev" "$target/proc" "$target/sys" "$target/tmp"
touch "$target/etc/hosts" "$target/etc/resolv.conf"

# These are 100 MB of locales, which a build in the locale C does not need, and yum's own files.
rm -rf "$target"/usr/lib/locale/locale-archive* "$target"/var/cache/yum "$target"/var/lib/yum/* "$target"/var/log/* \
    "$target"/var/cache/ldconfig/aux-cache "$target"/tmp/* "$target"/var/tmp/*

find "$target" -newer /tmp/start -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
