// Static is the probe as a program in a container. It has the commands of package
// probe, and others that test what only a real container has: limits, devices and
// privileges. With the name rngd.sh it is the sidecar's program, and with the name
// cat the keeper's.
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

// topdir is where the tests mount their volume.
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
	"eat":      eat,
	"fill":     fill,
	"random":   random,
	"sandbox":  sandbox,
	"sleep":    sleep,
	"stubborn": stubborn,
}

// rngd adds 0 bytes to the kernel's pool, by the call that adds entropy and needs
// its privilege. Then it prints what else it may do, and waits for the end of its
// stdin.
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
	fmt.Println("RNDADDENTROPY: permitted")
	printForbidden(f.Fd())
	printLimits()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// sandbox prints what the process sees of its sandbox.
func sandbox() int {
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

// field returns a value of /proc/self/status.
func field(status, name string) (value string) {
	for line := range strings.Lines(status) {
		if n, _ := fmt.Sscanf(line, name+": %s", &value); n == 1 {
			return value
		}
	}
	return ""
}

// eat allocates memory until it is killed, 1 GiB at most.
func eat() int {
	var blocks [][]byte
	for range 1024 {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		blocks = append(blocks, block)
	}
	fmt.Printf("ate %d MiB\n", len(blocks))
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

// random reads from /dev/random and prints its device numbers.
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

// ask asks a hundred questions, writes the answers to the topdir and waits for the
// end of its stdin.
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

// await waits for the answers and prints them.
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

// sleep ignores its stdin.
func sleep() int {
	fmt.Println("waiting")
	time.Sleep(10 * time.Minute)
	return 0
}

// stubborn ignores SIGTERM, too.
func stubborn() int {
	signal.Ignore(syscall.SIGTERM)
	return sleep()
}
