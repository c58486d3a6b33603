#!/bin/bash
# buildroot.sh lists the packages of the root file system for builder/buildroot: a line that names the distribution, then a line
# for each package, with tabs between the fields and "-" for an unknown value, such as the SHA-256 of a package of the base image.
set -eu
export LC_ALL=C

# shellcheck source=/dev/null
. /etc/os-release
printf 'buildroot 1\t%s\t%s\n' "$ID" "$VERSION_ID"

sums=$(mktemp)
find /var/cache/yum /var/cache/dnf -name '*.rpm' 2>/dev/null | sort | while read -r file; do
    printf '%s %s\n' "$(rpm -qp --nosignature --qf '%{SHA1HEADER}' "$file")" "$(sha256sum <"$file" | cut -d ' ' -f 1)"
done >"$sums"

# rpm's database also has the trusted keys as packages.
rpm -qa --qf 'rpm\t%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\t%{SHA1HEADER}\t%{LICENSE}\n' |
    awk -F '\t' -v OFS='\t' -v sums="$sums" '
        BEGIN { while ((getline line <sums) > 0) { split(line, field, " "); sum[field[1]] = field[2] } }
        $2 != "gpg-pubkey" { print $1, $2, $3, $4, $5, ($6 in sum) ? sum[$6] : "-", $6, $7 }' | sort
rm -f "$sums"
