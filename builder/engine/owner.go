package engine

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Every container and volume that this package creates has both labels.
const (
	// ownerLabel names the process that created it, its driver.
	ownerLabel = "namibuild.owner"
	// runLabel is the ID of a run, the same for its containers and volumes.
	runLabel = "namibuild.run"
)

// owner identifies a process: by host, boot, PID and start time. The PID is valid
// only in the PID namespace space.
type owner struct {
	host, boot string
	pid        int
	// start is the start time in clock ticks since the boot.
	start uint64
	space string
}

// String returns the value of ownerLabel.
func (o owner) String() string {
	return fmt.Sprintf("%s/%s/%d/%d/%s", o.host, o.boot, o.pid, o.start, o.space)
}

// parseOwner parses what String returns.
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

// thisProcess returns the owner that this process is.
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

// startTime returns field 22 of /proc/<pid>/stat. Field 2, the name in
// parentheses, may itself contain blanks and parentheses.
func startTime(pid int) (uint64, error) {
	file := fmt.Sprintf("/proc/%d/stat", pid)
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 20 {
		return 0, fmt.Errorf("reading %s: it has too few fields", file)
	}
	return strconv.ParseUint(fields[19], 10, 64)
}

// driverState is what this process can know about a driver.
type driverState int

const (
	alive driverState = iota
	dead
	// rebooted is the state of a driver whose host has booted since, or which is on
	// another host of the same name. Containers that run may have a driver there.
	rebooted
	// unknown is the state of a driver on another host or in another PID namespace.
	unknown
)

// stateOf returns the state of another driver, as far as o can see it.
func (o owner) stateOf(other owner) driverState {
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
	return alive // it exists, but /proc hides it from this user
}
