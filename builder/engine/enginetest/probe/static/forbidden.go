package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// These numbers are of x86_64 and are not in package syscall.
const (
	sysSetns     = 308
	sysFinitMod  = 313
	sysBpf       = 321
	sysMoveMount = 429
	sysFsopen    = 430
	sysClone3    = 435
	newNamespace = 0x20000 // CLONE_NEWNS
	sharedFS     = 0x200   // CLONE_FS, which clone refuses with CLONE_NEWNS
)

// printForbidden prints the result of calls that a sidecar must not make. Most
// have arguments with which they fail in another way than by EPERM if they are
// permitted.
func printForbidden(fd uintptr) {
	text := func(s string) uintptr { return uintptr(unsafe.Pointer(&append([]byte(s), 0)[0])) }
	for _, call := range []struct {
		name string
		args [7]uintptr
	}{
		{"mount", [7]uintptr{syscall.SYS_MOUNT, text("tmpfs"), text("/dev/shm/none"), text("tmpfs")}},
		{"umount", [7]uintptr{syscall.SYS_UMOUNT2, text("/none")}},
		{"fsopen", [7]uintptr{sysFsopen, text("none")}},
		{"move_mount", [7]uintptr{sysMoveMount, ^uintptr(0), text("none"), ^uintptr(0), text("none")}},
		{"pivot_root", [7]uintptr{syscall.SYS_PIVOT_ROOT, text("/none"), text("/none")}},
		{"unshare", [7]uintptr{syscall.SYS_UNSHARE, newNamespace}},
		{"setns", [7]uintptr{sysSetns, fd}},
		{"clone", [7]uintptr{syscall.SYS_CLONE, newNamespace | sharedFS}},
		{"bpf", [7]uintptr{sysBpf, ^uintptr(0)}},
		{"keyctl", [7]uintptr{syscall.SYS_KEYCTL, ^uintptr(0)}},
		{"ptrace", [7]uintptr{syscall.SYS_PTRACE, ^uintptr(0)}},
		{"perf_event_open", [7]uintptr{syscall.SYS_PERF_EVENT_OPEN}},
		{"init_module", [7]uintptr{syscall.SYS_INIT_MODULE}},
		{"finit_module", [7]uintptr{sysFinitMod, fd}},
		{"kexec_load", [7]uintptr{syscall.SYS_KEXEC_LOAD}},
		{"quotactl", [7]uintptr{syscall.SYS_QUOTACTL, ^uintptr(0)}},
		{"sethostname", [7]uintptr{syscall.SYS_SETHOSTNAME, 0, ^uintptr(0)}},
		{"madvise", [7]uintptr{syscall.SYS_MADVISE, 1, 1, 100}},  // MADV_HWPOISON
		{"ioctl", [7]uintptr{syscall.SYS_IOCTL, fd, 0x8004587d}}, // FS_IOC_SHUTDOWN
		{"clone3", [7]uintptr{sysClone3, 0, 0}},
	} {
		a := call.args
		_, _, errno := syscall.RawSyscall6(a[0], a[1], a[2], a[3], a[4], a[5], a[6])
		fmt.Printf("%s: %v\n", call.name, errno)
	}
}

// printLimits prints what limits the process.
func printLimits() {
	status, _ := os.ReadFile("/proc/self/status")
	fmt.Printf("CapBnd %s NoNewPrivs %s\n", field(string(status), "CapBnd"), field(string(status), "NoNewPrivs"))
	fmt.Printf("write / %v\n", strings.TrimPrefix(fmt.Sprint(os.WriteFile("/written", nil, 0o644)), "open /written: "))
}
