// Static is the probe as a program of a container. Besides what package probe
// does anywhere it tries out what only a real container has: limits, devices,
// privileges. Under the name rngd.sh it is the sidecar's program, under the
// name cat the keeper's.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"namibuild/builder/engine/enginetest/probe"
)

// Topdir is where the tests mount their volume.
const topdir = "/topdir"

func main() {
	switch filepath.Base(os.Args[0]) {
	case "rngd.sh":
		os.Exit(rngd())
	case "cat":
		_, _ = io.Copy(os.Stdout, os.Stdin)
		os.Exit(0)
	}
	args := os.Args[1:]
	if len(args) == 1 {
		if special, ok := specials[args[0]]; ok {
			os.Exit(special())
		}
	}
	os.Exit(probe.Run(world(), args...))
}

func world() probe.World {
	return probe.World{
		Stdin: os.Stdin, Stdout: os.Stdout,
		Read: func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(topdir, name)) },
		Write: func(name string, data []byte) error {
			return os.WriteFile(filepath.Join(topdir, name), data, 0o644)
		},
	}
}

var specials = map[string]func() int{
	"ask":      ask,
	"await":    await,
	"cage":     cage,
	"eat":      eat,
	"fill":     fill,
	"random":   random,
	"sleep":    sleep,
	"stubborn": stubborn,
}

// rngd adds nothing to the kernel's pool, in the way that needs the privilege
// which adding something needs.
func rngd() int {
	f, err := os.OpenFile("/dev/random", os.O_RDWR, 0)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	// struct rand_pool_info of linux/random.h: entropy_count, buf_size, buf
	pool := struct{ bits, size int32 }{}
	const addEntropy = 0x40085203 // RNDADDENTROPY
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), addEntropy, uintptr(unsafe.Pointer(&pool))); errno != 0 {
		fmt.Printf("RNDADDENTROPY: %v\n", errno)
		return 1
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// cage prints what the container is kept in.
func cage() int {
	host, _ := os.Hostname()
	domain, _ := os.ReadFile("/proc/sys/kernel/domainname")
	resolver, _ := os.ReadFile("/etc/resolv.conf")
	var files, core syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files)
	_ = syscall.Getrlimit(syscall.RLIMIT_CORE, &core)
	links, _ := net.Interfaces()
	status, _ := os.ReadFile("/proc/self/status")
	fmt.Printf("user %d:%d\nhost %s\ndomain %s", os.Getuid(), os.Getgid(), host, domain)
	fmt.Printf("resolver %s\ncore %d\n", strings.ReplaceAll(strings.TrimSpace(string(resolver)), "\n", ", "), core.Max)
	fmt.Printf("nofile %d\nlinks %d\n", files.Max, len(links))
	for _, name := range []string{"CapEff", "CapBnd", "NoNewPrivs"} {
		fmt.Printf("%s %s\n", name, field(string(status), name))
	}
	for _, dir := range []string{"/", "/tmp", topdir} {
		err := os.WriteFile(filepath.Join(dir, "written"), nil, 0o644)
		fmt.Printf("write %s %v\n", dir, errors.Unwrap(err))
	}
	return 0
}

// field is a value of /proc/self/status.
func field(status, name string) (value string) {
	for line := range strings.Lines(status) {
		if n, _ := fmt.Sscanf(line, name+": %s", &value); n == 1 {
			return value
		}
	}
	return ""
}

// eat takes memory until it is stopped, 1 GiB at most.
func eat() int {
	var held [][]byte
	for range 1024 {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		held = append(held, block)
	}
	fmt.Printf("ate %d MiB\n", len(held))
	return 0
}

// fill writes to the topdir until it is full, 1 GiB at most.
func fill() int {
	f, err := os.Create(filepath.Join(topdir, "fill"))
	for range 1024 {
		if err == nil {
			_, err = f.Write(make([]byte, 1<<20))
		}
	}
	if errors.Is(err, syscall.ENOSPC) {
		fmt.Println(err)
		return 28
	}
	fmt.Printf("filling: %v\n", err)
	return 1
}

// random prints the device numbers behind /dev/random, after reading from it.
func random() int {
	f, err := os.Open("/dev/random")
	if err == nil {
		_, err = io.ReadFull(f, make([]byte, 64))
	}
	var st syscall.Stat_t
	if err == nil {
		err = syscall.Fstat(int(f.Fd()), &st)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Printf("random %d:%d\n", st.Rdev>>8, st.Rdev&0xff)
	return 0
}

// ask asks a hundred questions, keeps the answers in the topdir and waits for
// the end of its stdin.
func ask() int {
	in := bufio.NewReader(os.Stdin)
	var answers []byte
	for i := range 100 {
		fmt.Printf("question %d\n", i)
		answer, err := in.ReadBytes('\n')
		if err != nil {
			return 1
		}
		answers = append(answers, answer...)
	}
	name := filepath.Join(topdir, "answers")
	if os.WriteFile(name+".part", answers, 0o644) != nil || os.Rename(name+".part", name) != nil {
		return 1
	}
	_, _ = io.Copy(io.Discard, in)
	return 0
}

// await prints the answers when they are there.
func await() int {
	for range 600 {
		if answers, err := os.ReadFile(filepath.Join(topdir, "answers")); err == nil {
			fmt.Print(string(answers))
			return 0
		}
		time.Sleep(100 * time.Millisecond)
	}
	return 1
}

// sleep does not care for its stdin.
func sleep() int {
	fmt.Println("waiting")
	time.Sleep(10 * time.Minute)
	return 0
}

// stubborn does not care for SIGTERM either.
func stubborn() int {
	signal.Ignore(syscall.SIGTERM)
	return sleep()
}
