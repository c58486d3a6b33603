#!/bin/sh
# buildroot.sh lists the packages of the root file system for builder/buildroot: a line that names the distribution, then a line
# for each package, with tabs between the fields and "-" for an unknown value. It runs while apt still has the archive's lists,
# because only they have the SHA-256 of the packages.
set -eu
export LC_ALL=C

# shellcheck source=/dev/null
. /etc/os-release
printf 'buildroot 1\t%s\t%s\n' "$ID" "$VERSION_ID"

# licenses PACKAGE prints the licenses in a machine-readable copyright file.
licenses() {
    [ -r "/usr/share/doc/$1/copyright" ] || return 0
    awk '/^Format:/ { readable = 1 }
        readable && /^License:/ { sub(/^License:[ \t]*/, ""); sub(/[ \t]+$/, ""); gsub(/\t/, " "); if ($0 != "") print }' \
        "/usr/share/doc/$1/copyright" | sort -u | tr '\n' '\t'
}

sums=$(mktemp)
# apt-cache shows a package that is in no list from dpkg's database, without a SHA256.
# shellcheck disable=SC2016,SC2046 # dpkg-query's variables; one word for each package
apt-cache show $(dpkg-query -W -f '${binary:Package}=${Version} ') |
    awk '$1 == "Package:" { name = $2; version = arch = "" }
        $1 == "Version:" { version = $2 }
        $1 == "Architecture:" { arch = $2 }
        $1 == "SHA256:" { print name, version, arch, $2 }' >"$sums"

# shellcheck disable=SC2016 # dpkg-query's variables
dpkg-query -W -f '${db:Status-Status} ${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n' |
    while read -r status name version arch source sourceversion; do
        [ "$status" = installed ] || continue
        sum=$(awk -v name="$name" -v version="$version" -v arch="$arch" \
            '$1 == name && $2 == version && $3 == arch { print $4; exit }' "$sums")
        printf 'deb\t%s\t%s\t%s\t%s\t%s\t-\t%s\n' "$name" "$version" "$arch" "$source $sourceversion" "${sum:--}" "$(licenses "$name")"
    done | sed 's/\t$//' | sort
rm -f "$sums"
