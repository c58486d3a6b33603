#!/bin/bash
# install.sh makes a builder of the enterprise Linux that it runs in, with yum (dnf from release 8 on): the packages that the
# file `packages` beside it names, from the repositories in `vault.repo` beside it and no others, signed by keys of the base
# image. VAULT is the address of the vault, SOURCE_DATE_EPOCH the time of the files that are no package's.
# Runs as root. Written from the facts, not yet run.
set -eu
export LC_ALL=C
here=$(dirname "$0")

# rpm and yum close every descriptor up to the limit before each script: with a limit of 2^30 that takes hours.
[ "$(ulimit -n)" -le 4096 ] 2>/dev/null || ulimit -n 4096

touch /tmp/start
mkdir /tmp/repos
sed "s|@VAULT@|${VAULT%/}|" "$here/vault.repo" >/tmp/repos/vault.repo
mapfile -t packages < <(grep -v -e '^#' -e '^$' "$here/packages")
yum -y --setopt=reposdir=/tmp/repos --setopt=tsflags=nodocs --setopt=keepcache=1 install "${packages[@]}"

# yum succeeds when it has found some of the names; a name may be one that a package provides.
rpm -q --whatprovides "${packages[@]}"

mkdir -p /usr/lib/namibuild
bash "$here/buildroot.sh" >/usr/lib/namibuild/buildroot

echo 'builder:x:1000:1000:namibuild:/usr/src/namibuild/rpmbuild:/bin/sh' >>/etc/passwd
echo 'builder:x:1000:' >>/etc/group
mkdir -p /usr/src/namibuild/rpmbuild
chown 1000:1000 /usr/src/namibuild/rpmbuild

yum --setopt=reposdir=/tmp/repos clean all
rm -rf /tmp/repos /var/cache/yum /var/cache/dnf /var/lib/dnf/history* /var/lib/yum/history /var/log/* \
    /var/cache/ldconfig/aux-cache /etc/passwd- /etc/group-
find / -xdev -newer /tmp/start ! -path '/tmp/*' ! -path '/proc/*' ! -path '/sys/*' ! -path '/dev/*' \
    -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
rm -f /tmp/start
touch -d "@$SOURCE_DATE_EPOCH" /tmp
