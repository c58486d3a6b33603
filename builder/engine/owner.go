package engine

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Every container and volume of ours carries both labels.
const (
	// ownerLabel names the process that made it, its driver.
	ownerLabel = "namibuild.owner"
	// runLabel is the same for a container, its sidecar and its volumes.
	runLabel = "namibuild.run"
)

// owner names one process on one boot of one host. Space is its PID name
// space: a number counts only in there.
type owner struct {
	host, boot string
	pid        int
	// start is in clock ticks since the boot.
	start uint64
	space string
}

// String is what ownerLabel holds.
func (o owner) String() string {
	return fmt.Sprintf("%s/%s/%d/%d/%s", o.host, o.boot, o.pid, o.start, o.space)
}

// parseOwner reads what String wrote.
func parseOwner(label string) (owner, error) {
	bad := fmt.Errorf("reading label %s: %q: want host/boot/pid/start/space", ownerLabel, label)
	fields := strings.Split(label, "/")
	if len(fields) != 5 {
		return owner{}, bad
	}
	pid, err := strconv.Atoi(fields[2])
	if err != nil || pid <= 0 {
		return owner{}, bad
	}
	start, err := strconv.ParseUint(fields[3], 10, 64)
	if err != nil {
		return owner{}, bad
	}
	return owner{host: fields[0], boot: fields[1], pid: pid, start: start, space: fields[4]}, nil
}

// thisProcess names the process we are.
func thisProcess() (owner, error) {
	host, err := os.Hostname()
	if err != nil {
		return owner{}, err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return owner{}, err
	}
	start, err := startTime(os.Getpid())
	if err != nil {
		return owner{}, err
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return owner{}, err
	}
	return owner{host, strings.TrimSpace(string(boot)), os.Getpid(), start, space}, nil
}

// startTime is field 22 of /proc/<pid>/stat; the second, the name in brackets,
// may hold blanks and brackets.
func startTime(pid int) (uint64, error) {
	file := fmt.Sprintf("/proc/%d/stat", pid)
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 20 {
		return 0, fmt.Errorf("reading %s: has too few fields", file)
	}
	return strconv.ParseUint(fields[19], 10, 64)
}

// fate is what we know of a driver.
type fate int

const (
	alive fate = iota
	dead
	// rebooted: its host has booted since, or it is another host of the same
	// name; what still runs may have a driver there.
	rebooted
	unknown // out of our sight: on another host, in another PID name space
)

// fateOf judges a driver from where we stand.
func (o owner) fateOf(other owner) fate {
	switch {
	case other.host != o.host:
		return unknown
	case other.boot != o.boot:
		return rebooted
	case other.space != o.space:
		return unknown
	}
	start, err := startTime(other.pid)
	switch {
	case err == nil && start == other.start:
		return alive
	case err == nil:
		return dead
	case errors.Is(syscall.Kill(other.pid, 0), syscall.ESRCH):
		return dead
	}
	return alive // it is there, and /proc does not show it to us
}
