#!/bin/bash
# buildroot.sh ROOT CACHE lists the packages of the root file system in ROOT for builder/buildroot: a line that names the
# distribution, then a line for each package, with tabs between the fields and "-" for an unknown value. CACHE is yum's folder of
# package files; the SHA-1 of its header says which package a file is.
set -eu
export LC_ALL=C

root=$1
cache=$2
release=$(sed 's/.* release \([0-9.]*\).*/\1/' "$root/etc/centos-release")
printf 'buildroot 1\tcentos\t%s\n' "$release"

sums=$(mktemp)
find "$cache" -name '*.rpm' | sort | while read -r file; do
    printf '%s %s\n' "$(rpm -qp --nosignature --qf '%{SHA1HEADER}' "$file")" "$(sha256sum <"$file" | cut -d ' ' -f 1)"
done >"$sums"

# rpm's database also has the trusted keys as packages.
rpm --root "$root" -qa --qf 'rpm\t%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\t%{SHA1HEADER}\t%{LICENSE}\n' |
    awk -F '\t' -v OFS='\t' -v sums="$sums" '
        BEGIN { while ((getline line <sums) > 0) { split(line, field, " "); sum[field[1]] = field[2] } }
        $2 != "gpg-pubkey" { print $1, $2, $3, $4, $5, ($6 in sum) ? sum[$6] : "-", $6, $7 }' | sort
rm -f "$sums"
