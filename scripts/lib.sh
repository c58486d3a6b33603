# shellcheck shell=sh
# The scripts beside this file share these functions, most of which set up a host and say so first.

# These are exit codes of namibuild (namibuild help exit-codes).
no_engine=3
no_base=10

say() { printf '\n==> %s\n' "$*"; }
die() {
	printf 'error: %s\n' "$1" >&2
	[ -z "${2-}" ] || printf 'hint: %s\n' "$2" >&2
	exit 1
}

# family prints debian or fedora, or nothing on another host.
family() {
	[ -r /etc/os-release ] || return 0
	# shellcheck disable=SC1091
	for word in $(. /etc/os-release && echo "${ID-} ${ID_LIKE-}"); do
		case $word in
		debian | ubuntu) echo debian && return ;;
		fedora | rhel | centos) echo fedora && return ;;
		esac
	done
}

is_root() { [ "$(id -u)" = 0 ]; }

# apt_install PACKAGE... says which of the packages are missing and installs them.
apt_install() {
	missing=
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	is_root || die "these Debian packages are missing:$missing" "apt-get install$missing (as root)"
	say "installing Debian packages:$missing"
	apt-get -o APT::Update::Error-Mode=any update -qq ||
		apt-get update -qq # a broken source of the host may be one that is not needed
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# timed NAME COMMAND... runs a command and adds "wall-seconds cpu-seconds peak-kB" to $work/figures.NAME.
timed() {
	name=$1
	shift
	# shellcheck disable=SC2154 # the script that measures sets work
	env time -f '%e %U %S %M' -o "$work/time" "$@" >/dev/null
	awk '{ print $1, $2 + $3, $4 }' "$work/time" >>"$work/figures.$name"
	printf '  %-21s %s s\n' "$name" "$(tail -n 1 "$work/figures.$name" | cut -d' ' -f1)"
}

# median NAME COLUMN prints the median of a column of $work/figures.NAME.
median() { sort -n -k"$2,$2" "$work/figures.$1" | awk -v c="$2" '{ v[NR] = $c } END { print v[int((NR + 1) / 2)] }'; }

need_go() {
	command -v go >/dev/null || die "no Go toolchain found" "install Go (https://go.dev/dl/) and put its bin folder into PATH"
}

# answers NAMIBUILD reports whether an engine answers namibuild. Other errors of the
# engine end the script later, when namibuild is used.
answers() {
	status=0
	"$1" clean >/dev/null 2>&1 || status=$?
	[ $status != $no_engine ]
}

# need_engine NAMIBUILD installs and starts the distribution's Docker engine if no
# engine answers and it can be installed.
need_engine() {
	! answers "$1" || return 0
	if [ -n "${DOCKER_HOST-}" ] || ! is_root || [ -z "$(family)" ]; then
		"$1" clean # prints the error, with a hint
		exit $no_engine
	fi
	say "no engine answers: installing and starting the distribution's Docker engine"
	case $(family) in
	debian) apt_install docker.io ca-certificates iptables ;;
	fedora) dnf install -y -q moby-engine || dnf install -y -q docker ;;
	esac
	start_engine
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		! answers "$1" || return 0
		sleep 2
	done
	[ ! -r /var/log/dockerd.log ] || tail -n 3 /var/log/dockerd.log >&2
	"$1" clean
	exit $no_engine
}

# start_engine starts the engine by the host's init system. Without one (in a
# container or a minimal VM) it starts the daemon itself and keeps its log.
start_engine() {
	if [ -d /run/systemd/system ]; then
		systemctl enable --now docker
	elif ! service docker start 2>/dev/null; then
		say "no service manager: starting dockerd, its log is /var/log/dockerd.log"
		nohup dockerd >/var/log/dockerd.log 2>&1 &
	fi
}

# need_base NAMIBUILD makes the demo's builder image. If no registry answers, it
# makes the Debian base with mmdebstrap and imports it. It is a subshell with a
# trap of its own.
need_base() (
	say "making the demo's builder image (about a minute, once; if no registry answers, its base is made here)"
	status=0
	"$1" image demo || status=$?
	[ $status = $no_base ] || exit $status
	say "no registry answers: making the base image with mmdebstrap"
	if [ "$(family)" != debian ]; then
		die "only Debian can make the base image without a registry" "set a registry mirror in the engine's configuration"
	fi
	apt_install mmdebstrap
	is_root || die "mmdebstrap needs root" "run ./scripts/quickstart once as root"
	root=$(mktemp)
	trap 'rm -f "$root"' EXIT
	# With the epoch two runs with the same mirror make equal bytes.
	SOURCE_DATE_EPOCH=1 mmdebstrap --quiet --variant=apt --format=tar bookworm "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}
	"$1" image demo --base "$root"
)
