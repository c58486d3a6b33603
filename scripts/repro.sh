#!/bin/sh
# scripts/bench repro [RECIPE.yaml] builds a kernel several times, each time with a variation that must not matter, and prints
# whether all packages are equal, byte for byte. Without a recipe it builds the demo with a persistent module key. It writes
# repro.json, or $OUT. The last build has no key and uses the signatures that the first one recorded. If the engine or the demo's
# base image is missing, it is made as in scripts/quickstart.
#
# `namibuild compare` explains a difference, and the script then exits with status 1. ONLY="plain tmpfs" selects variations.
# Only root can change the name of the host; for other users the variation "host" is left out with a message.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

json=${OUT:-repro.json}
need_go
work=$(mktemp -d)
beside=''
trap 'rm -rf "$work"; [ -z "$beside" ] || rm -f "$beside/.repro.yaml" "$beside/.repro.json"' EXIT
trap 'exit 130' INT TERM HUP
go build -o "$work/namibuild" ./cmd/namibuild
namibuild=$work/namibuild

need_engine "$namibuild"
if [ $# -gt 0 ]; then
	recipe=$1
else
	need_base "$namibuild"
	"$namibuild" modkey new "$work/module.key" >/dev/null
	cp -R recipes/demo recipes/demo.yaml "$work/"
	recipe=$work/demo.yaml
	echo "module-key: {persistent: module.key}" >>"$recipe"
fi
title=$(basename "$recipe")
key=$(sed -n 's/^module-key: {persistent: \(.*\)}$/\1/p' "$recipe")

# variation NAME prints the options of a build that must make the same packages.
variation() {
	case $1 in
	plain) echo --jobs 2 ;;
	jobs) echo --jobs 3 ;;
	tmpfs) echo --jobs 2 --tmpfs "${TMPFS:-6G}" ;;
	shuffle) echo --jobs 2 --vary shuffle ;;
	cpus) echo --jobs 2 --vary cpus=0 ;;
	date) echo --jobs 2 --vary date=400 ;;
	all) echo --jobs 5 --tmpfs "${TMPFS:-6G}" --vary shuffle,cpus=0,date=800 ;;
	host | recorded) echo --jobs 2 ;;
	esac
}

# elsewhere COMMAND... runs a command as on a host of another name. No container sees the name of the engine's host.
# shellcheck disable=SC2016 # the inner shell expands it
elsewhere() { unshare --uts sh -c 'echo elsewhere.example.org >/proc/sys/kernel/hostname && exec "$@"' sh "$@"; }
away=''
! elsewhere true 2>/dev/null || away=elsewhere

# recorded replaces the recipe by one with recorded signatures instead of a key, which is beside the recipe until the script ends.
recorded() {
	beside=$(dirname "$recipe")
	cp "$work/plain/module-signatures.json" "$beside/.repro.json"
	sed 's/^module-key: .*/module-key: {recorded: .repro.json}/' "$recipe" >"$beside/.repro.yaml"
	recipe=$beside/.repro.yaml
}

# sums DIR prints the digest and name of every package.
sums() { (cd "$1/RPMS" && sha256sum -- *.rpm); }

failed=0 comma='' results=''
for name in ${ONLY:-plain jobs tmpfs shuffle cpus date host all recorded}; do
	as=''
	if [ "$name" = recorded ]; then
		if [ -z "$key" ] || [ ! -e "$work/plain/module-signatures.json" ]; then
			continue
		fi
		recorded
	fi
	case $name in
	host | all) as=$away ;;
	esac
	if [ "$name$as" = host ]; then
		say "host: left out, because this user cannot change the name of the host (unshare --uts)"
		continue
	fi
	options=$(variation "$name")
	say "$name: ${as:+on a host of another name: }namibuild build $options"
	began=$(date +%s)
	# shellcheck disable=SC2086 # the options are separate words
	$as "$namibuild" build "$recipe" --no-lock $options -o "$work/$name" || die "the build failed"
	seconds=$(($(date +%s) - began))
	packages=$(sums "$work/$name" | wc -l)
	first=${first:-$name}
	if [ "$(sums "$work/$name")" = "$(sums "$work/$first")" ]; then
		verdict=same
	else
		verdict=different failed=1
		"$namibuild" compare "$work/$first" "$work/$name" || true
	fi
	results="$results$comma{\"variation\":\"$name\",\"options\":\"$options\",\"began\":$began,\"seconds\":$seconds,\"packages\":$packages,\"verdict\":\"$verdict\"}"
	comma=,
	printf '%-9s %-55s %6s %9s %-9s\n' "$name" "$options" "$seconds" "$packages" "$verdict" >>"$work/table"
	[ "$name" = "$first" ] || rm -rf "${work:?}/$name"
done

[ -s "$work/table" ] || die "nothing was built"
say "$title: whether all packages are the same"
printf '%-9s %-55s %6s %9s %-9s\n' variation options s packages 'as first'
cat "$work/table"
printf '\nsha256\n'
sums "$work/$first"
printf '{"results":[%s]}\n' "$results" >"$json"
printf '\nwritten: %s\n' "$json"
exit $failed
