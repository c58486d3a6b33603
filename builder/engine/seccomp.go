package engine

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// narrowed are system calls of Docker's profile that CAP_SYS_ADMIN or root makes
// too strong for the sidecar. The first four are not permitted at all, the others
// only with the arguments that narrowRules names.
var narrowed = []string{"ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "ioctl", "madvise"}

// ioctls are the requests that the sidecar may make: those of random(4), and those
// that a shell and the container's init make of a terminal. The others reach
// further, such as FS_IOC_SHUTDOWN, which stops a file system of the host.
// (include/uapi/linux/random.h and include/uapi/asm-generic/ioctls.h)
var ioctls = []uint64{
	0x40085203, // RNDADDENTROPY
	0x80045200, // RNDGETENTCNT
	0x5401,     // TCGETS
	0x540e,     // TIOCSCTTY
	0x540f,     // TIOCGPGRP
	0x5410,     // TIOCSPGRP
	0x5413,     // TIOCGWINSZ
	0x541b,     // FIONREAD
	0x5421,     // FIONBIO
	0x5450,     // FIONCLEX
	0x5451,     // FIOCLEX
}

// hwpoison is the first advice of madvise(2) that breaks pages of the host.
const hwpoison = 100

// sidecarProfile returns the seccomp profile of the sidecar as JSON: Docker's own
// profile as it is for a container without capabilities. So the calls that
// CAP_SYS_ADMIN would add are denied (mount, unshare, setns, bpf,
// perf_event_open, clone with new namespaces and more), and so are those that it
// denies to all (keyctl, init_module). Of ioctl only few requests are permitted.
func sidecarProfile() (string, error) {
	profile := seccomp.DefaultProfile()
	rules := narrowRules()
	for _, rule := range profile.Syscalls {
		if rule.Includes != nil && len(rule.Includes.Caps) > 0 {
			continue
		}
		one := *rule
		one.Names = slices.DeleteFunc(slices.Clone(rule.Names), func(name string) bool { return slices.Contains(narrowed, name) })
		if len(one.Names) == 0 {
			continue
		}
		if rule.Excludes != nil { // the stricter rules of those without the capability
			without := *rule.Excludes
			without.Caps = nil
			one.Excludes = &without
		}
		rules = append(rules, &one)
	}
	profile.Syscalls = rules
	data, err := json.Marshal(profile)
	if err != nil {
		return "", fmt.Errorf("writing the seccomp profile: %w", err)
	}
	return string(data), nil
}

// narrowRules permits what is left of the narrowed calls.
func narrowRules() []*seccomp.Syscall {
	rules := []*seccomp.Syscall{permit("madvise", specs.LinuxSeccompArg{Index: 2, Value: hwpoison, Op: specs.OpLessThan})}
	for _, request := range ioctls {
		rules = append(rules, permit("ioctl", specs.LinuxSeccompArg{Index: 1, Value: request, Op: specs.OpEqualTo}))
	}
	return rules
}

func permit(name string, arg specs.LinuxSeccompArg) *seccomp.Syscall {
	return &seccomp.Syscall{LinuxSyscall: specs.LinuxSyscall{
		Names: []string{name}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{arg},
	}}
}
