#!/bin/bash
# pack.sh OUTDIR makes the demo's SRPM in OUTDIR from Debian's linux-source-6.1, the spec and the sources beside this script.
# The same package and the same scripts give the same bytes.
set -euo pipefail
out=$1
here=$(dirname "$0")

# Always the same: rpm keeps the spec as it expanded it in the SRPM's header, paths included.
work=/tmp/namibuild-pack
mkdir "$work"
trap 'rm -rf "$work"' EXIT

cd "$work"
apt-get -o APT::Update::Error-Mode=any -o Acquire::Languages=none update
apt-get -o APT::Sandbox::User=root download linux-source-6.1
cd "$OLDPWD"
deb=$(echo "$work"/linux-source-6.1_*.deb)

# 6.1.192-2 is upstream 6.1.192.
debian=$(dpkg-deb --field "$deb" Version)
upstream=${debian%%-*}
sublevel=${upstream#6.1.}
kversion=$upstream-1.demo

# The moment of Debian's package is that of ours.
SOURCE_DATE_EPOCH=$(dpkg-deb --fsys-tarfile "$deb" |
    tar -xO ./usr/share/doc/linux-source-6.1/changelog.Debian.gz | gzip -dc |
    sed -n 's/^ -- .*>  //p' | sed -n 1p | date -f - +%s)
export SOURCE_DATE_EPOCH

mkdir "$work/SOURCES" "$work/SPECS"
for source in config genkey modsign.sh linux-kernel-test.patch; do
    install -m 644 "$here/$source" "$work/SOURCES/"
done
sed -e "s/@SUBLEVEL@/$sublevel/g" -e "s/@KVERSION@/$kversion/g" -e "s/@UPSTREAM@/$upstream/g" -e "s/@DEBIAN@/$debian/g" \
    -e "s/@DATE@/$(LC_ALL=C date -u -d "@$SOURCE_DATE_EPOCH" '+%a %b %d %Y')/" \
    "$here/kernel.spec.in" >"$work/SPECS/kernel.spec"

# From archive to archive, so that 84,000 files never touch the disk; the top directory gets the name that %prep wants.
dpkg-deb --fsys-tarfile "$deb" |
    tar -xO ./usr/src/linux-source-6.1.tar.xz | xz -dc |
    python3 "$here/retop.py" linux-source-6.1 "linux-$kversion" |
    lbzip2 -9 >"$work/SOURCES/linux-$kversion.tar.bz2"

find "$work/SOURCES" "$work/SPECS" -type f -exec chown 0:0 {} + -exec touch -d "@$SOURCE_DATE_EPOCH" {} +

# Digests (MD5) and payload (gzip) as rpm 4.8 writes and reads them.
mkdir -p "$out"
rpmbuild -bs --nodeps \
    --define "_topdir $work" --define "_srcrpmdir $out" --define "_tmppath $work" \
    --define "_source_filedigest_algorithm 1" --define "_source_payload w6.gzdio" \
    --define "_buildhost namibuild" --define "use_source_date_epoch_as_buildtime 1" \
    "$work/SPECS/kernel.spec"
