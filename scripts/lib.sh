# shellcheck shell=sh
# What quickstart and test share: setting a host up, saying so first.

# exit codes of namibuild (namibuild help exit-codes)
no_engine=3
no_base=10

say() { printf '\n==> %s\n' "$*"; }
die() {
	printf 'error: %s\n' "$1" >&2
	[ -z "${2-}" ] || printf 'hint: %s\n' "$2" >&2
	exit 1
}

# family prints debian or fedora, or nothing for another host.
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

# apt_install installs the packages that are missing, after saying which.
apt_install() {
	missing=
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	is_root || die "these Debian packages are missing:$missing" "apt-get install$missing (as root)"
	say "installing Debian packages:$missing"
	apt-get -o APT::Update::Error-Mode=any update -qq ||
		apt-get update -qq # a source of the host that is broken need not be one of ours
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

need_go() {
	command -v go >/dev/null || die "no Go toolchain found" "install Go (https://go.dev/dl/) and put its bin folder into PATH"
}

# answers tells whether the engine does, as namibuild itself reaches it. What
# else may be wrong shows, and ends the script, when namibuild is used.
answers() {
	status=0
	"$1" clean >/dev/null 2>&1 || status=$?
	[ $status != $no_engine ]
}

# need_engine installs and starts the distribution's Docker engine where none
# answers and that is possible; $1 is the namibuild binary.
need_engine() {
	! answers "$1" || return 0
	if [ -n "${DOCKER_HOST-}" ] || ! is_root || [ -z "$(family)" ]; then
		"$1" clean # says what is wrong, with a hint
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

# start_engine uses the host's init; without one (a container, a minimal VM)
# the daemon is started directly and its log kept.
start_engine() {
	if [ -d /run/systemd/system ]; then
		systemctl enable --now docker
	elif ! service docker start 2>/dev/null; then
		say "no service manager: starting dockerd, its log is /var/log/dockerd.log"
		nohup dockerd >/var/log/dockerd.log 2>&1 &
	fi
}

# need_base makes sure that the demo's builder image can be made: where no
# registry answers, the Debian base is made here with mmdebstrap and imported. A
# subshell, whose trap is its own.
need_base() (
	say "the builder image of the demo (about a minute, once; where no registry gives its base, that is made here)"
	status=0
	"$1" image demo || status=$?
	[ $status = $no_base ] || exit $status
	say "no registry answers: making the base image with mmdebstrap"
	if [ "$(family)" != debian ]; then
		die "the base image can be made without a registry on Debian only" "set a registry mirror in the engine's configuration"
	fi
	apt_install mmdebstrap
	is_root || die "mmdebstrap runs as root here" "run ./scripts/quickstart once as root"
	root=$(mktemp)
	trap 'rm -f "$root"' EXIT
	# The epoch makes two runs against the same mirror equal, byte for byte.
	SOURCE_DATE_EPOCH=1 mmdebstrap --quiet --variant=apt --format=tar bookworm "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}
	"$1" image demo --base "$root"
)
