#!/bin/bash
# install.sh makes the enterprise Linux that it runs in a builder, with yum (dnf from release 8 on). It installs the packages in the
# file `packages` beside it, only from the repositories in `vault.repo` beside it, and signed by keys of the base image. VAULT is
# the address of the vault, SOURCE_DATE_EPOCH the time of the files that belong to no package. It runs as root. It has not been run
# yet.
set -eu
export LC_ALL=C
here=$(dirname "$0")

# Before each script rpm and yum close every descriptor up to the limit. With a limit of 2^30 that takes hours.
[ "$(ulimit -n)" -le 4096 ] 2>/dev/null || ulimit -n 4096

touch /tmp/start
mkdir /tmp/repos
sed "s|@VAULT@|${VAULT%/}|" "$here/vault.repo" >/tmp/repos/vault.repo
mapfile -t packages < <(grep -v -e '^#' -e '^$' "$here/packages")
yum -y --setopt=reposdir=/tmp/repos --setopt=tsflags=nodocs --setopt=keepcache=1 install "${packages[@]}"

# yum succeeds if it finds only some of the names. A name may be one that a package provides.
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
