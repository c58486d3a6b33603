#!/bin/bash
# buildroot.sh prints what the root is made of, as builder/buildroot reads it: a line that names the distribution, then a line
# a package, fields between tabs, "-" for what is not known: of packages that came with the base image, the file's SHA-256.
set -eu
export LC_ALL=C

# shellcheck source=/dev/null
. /etc/os-release
printf 'buildroot 1\t%s\t%s\n' "$ID" "$VERSION_ID"

sums=$(mktemp)
find /var/cache/yum /var/cache/dnf -name '*.rpm' 2>/dev/null | sort | while read -r file; do
    printf '%s %s\n' "$(rpm -qp --nosignature --qf '%{SHA1HEADER}' "$file")" "$(sha256sum <"$file" | cut -d ' ' -f 1)"
done >"$sums"

# The keys that rpm trusts are in its database too, as packages.
rpm -qa --qf 'rpm\t%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\t%{SHA1HEADER}\t%{LICENSE}\n' |
    awk -F '\t' -v OFS='\t' -v sums="$sums" '
        BEGIN { while ((getline line <sums) > 0) { split(line, field, " "); sum[field[1]] = field[2] } }
        $2 != "gpg-pubkey" { print $1, $2, $3, $4, $5, ($6 in sum) ? sum[$6] : "-", $6, $7 }' | sort
rm -f "$sums"
