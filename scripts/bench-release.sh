#!/bin/sh
# scripts/bench release [FILE] measures in one run, side by side, `namibuild sign` against rpmsign, and `namibuild release`
# against rpmsign and createrepo_c, on the same set of 60 MB, which it makes. It prints a table with ratios, and how many times
# the bytes of the set each command reads, and writes FILE, or bench-release.json.
#
# All sign with the same RSA key of 4096 bits. rpmsign signs in place, so it gets a copy of the set, which is made before the
# clock starts. namibuild copies the set itself, checks every digest, and waits until the disk has all of it. A release holds
# SBOMs, provenance and digests of all files as well. The commands take turns. ROUNDS sets the number of rounds.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

json=${1:-bench-release.json}
rounds=${ROUNDS:-7}

need_go
[ "$(family)" != debian ] || apt_install rpm gpg gpg-agent createrepo-c time
work=$(mktemp -d)
trap 'GNUPGHOME="$work/gnupg" gpgconf --kill all 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
go build -o "$work/namibuild" ./cmd/namibuild

say "a set of 60 MB, and a key"
go test -count=1 -run '^TestLargeSet$' ./builder/release -args -write-set "$work/set" >/dev/null
export HOME="$work" GNUPGHOME="$work/gnupg"
mkdir -m 700 "$GNUPGHOME"
"$work/namibuild" key new "Bench <bench@example.org>" -o "$work/bench" --no-passphrase --created 2014-01-01 >/dev/null
gpg --batch --quiet --import "$work/bench.key"
cat >"$HOME/.rpmmacros" <<MACROS
%_gpg_name Bench <bench@example.org>
%_gpg_digest_algo sha256
%__gpg $(command -v gpg)
MACROS
bytes=$(cat "$work"/set/RPMS/*.rpm | wc -c)

# These scripts get the folder of a copy of the packages.
cat >"$work/rpmsign" <<'STEPS'
set -eu
rpmsign --addsign "$1"/*.rpm
STEPS
cat >"$work/rpmsign+createrepo_c" <<'STEPS'
set -eu
rpmsign --addsign "$1"/*.rpm
createrepo_c --quiet "$1"
gpg --batch --quiet --detach-sign --armor "$1/repodata/repomd.xml"
STEPS
# fresh removes what the command before made, and copies the packages.
fresh() {
	rm -rf "$work/copy" "$work/signed" "$work/release"
	cp -R "$work/set/RPMS" "$work/copy"
	sync -f "$work/copy"
}
# run HOW NAME runs a command by the function timed or reads.
run() {
	case $2 in
	sign) "$1" "$2" "$work/namibuild" sign "$work/set" -o "$work/signed" --key "$work/bench.key" ;;
	release) "$1" "$2" "$work/namibuild" release "$work/set" -o "$work/release" --key "$work/bench.key" ;;
	verify) "$1" "$2" "$work/namibuild" verify "$work/release" ;;
	*) "$1" "$2" sh "$work/$2" "$work/copy" ;;
	esac
}

# reads NAME COMMAND... writes the bytes that a command and its children read to $work/reads.NAME. Linux adds the counters of
# a child to those of the process that waits for it.
reads() {
	name=$1
	shift
	# shellcheck disable=SC2016 # the shell that runs it expands it
	sh -c '"$@" >/dev/null || exit; awk "/^rchar/ { print \$2 }" "/proc/$$/io"' sh "$@" >"$work/reads.$name" 2>"$work/log" || {
		cat "$work/log" >&2
		die "$name failed"
	}
}

# prepared NAME makes what a command needs: a copy of the packages, or a release.
prepared() {
	fresh
	[ "$1" != verify ] || "$work/namibuild" release "$work/set" -o "$work/release" --key "$work/bench.key" >/dev/null 2>&1
}

commands="sign rpmsign release rpmsign+createrepo_c verify"
say "how many bytes each command reads"
for command in $commands; do
	prepared "$command"
	run reads "$command"
done

round=1
while [ "$round" -le "$rounds" ]; do
	say "round $round of $rounds"
	for command in $commands; do
		prepared "$command"
		run timed "$command" 2>"$work/log" || {
			cat "$work/log" >&2
			die "$command failed"
		}
	done
	round=$((round + 1))
done

# minimum NAME prints the shortest wall time of $work/figures.NAME.
minimum() { sort -n "$work/figures.$1" | awk 'NR == 1 { print $1 }'; }

say "a set of $((bytes / 1000000)) MB, $rounds rounds"
printf '%-22s %9s %9s %9s %9s %18s %16s\n' '' 'min s' 'median s' 'CPU s' 'peak MB' 'read / set bytes' 'times as long'
exec 3>&1
{
	printf '{"rounds":%s,"cores":%s,"bytes":%s,"results":[' "$rounds" "$(nproc)" "$bytes"
	comma=
	for name in $commands; do
		case $name in # what the command is measured against
		sign | rpmsign) base=rpmsign ;;
		release | rpmsign+*) base=rpmsign+createrepo_c ;;
		*) base=$name ;;
		esac
		min=$(minimum "$name") wall=$(median "$name" 1) cpu=$(median "$name" 2) peak=$(median "$name" 3)
		ratio=$(awk -v a="$wall" -v b="$(median "$base" 1)" 'BEGIN { printf "%.2f", a / b }')
		factor=$(awk -v a="$(cat "$work/reads.$name")" -v b="$bytes" 'BEGIN { printf "%.2f", a / b }')
		printf '%-22s %9s %9s %9s %9d %18s %16s\n' "$name" "$min" "$wall" "$cpu" $((peak / 1000)) "$factor" "$ratio" >&3
		printf '%s{"name":"%s","minSeconds":%s,"wallSeconds":%s,"cpuSeconds":%s,"peakKilobytes":%s,"reads":%s,"ratio":%s}' "$comma" "$name" "$min" "$wall" "$cpu" "$peak" "$factor" "$ratio"
		comma=,
	done
	printf ']}\n'
} >"$json"
printf '\nwritten: %s\n' "$json"
