package boot

import (
	"bytes"
	"fmt"
)

// Types of st_mode.
const (
	modeFolder = 0o040000
	modeFile   = 0o100000
	modeDevice = 0o020000 // of characters
)

// File is one file of an initramfs. Name has no slash in front; folders are
// made as they are needed.
type File struct {
	Name string
	Data []byte
	Exec bool
}

// Initramfs is a cpio archive in the form "newc" that Linux unpacks as its
// first root: the files, in their order, and the two devices that a process 1
// wants, /dev/console and /dev/kmsg. Equal files give equal bytes.
func Initramfs(files ...File) []byte {
	a := archive{made: map[string]bool{}}
	a.folder("proc")
	a.device("dev/console", 5, 1)
	a.device("dev/kmsg", 1, 11)
	for _, f := range files {
		mode := uint32(modeFile | 0o644)
		if f.Exec {
			mode = modeFile | 0o755
		}
		a.parents(f.Name)
		a.entry(f.Name, mode, f.Data, 0, 0)
	}
	a.entry("TRAILER!!!", 0, nil, 0, 0)
	return a.Bytes()
}

// archive is an initramfs as it grows.
type archive struct {
	bytes.Buffer
	made  map[string]bool // folders
	inode int
}

func (a *archive) folder(name string) {
	if !a.made[name] {
		a.made[name] = true
		a.parents(name)
		a.entry(name, modeFolder|0o755, nil, 0, 0)
	}
}

// parents makes the folder that holds a name.
func (a *archive) parents(name string) {
	for i := len(name) - 1; i > 0; i-- {
		if name[i] == '/' {
			a.folder(name[:i])
			return
		}
	}
}

func (a *archive) device(name string, major, minor int) {
	a.parents(name)
	a.entry(name, modeDevice|0o600, nil, major, minor)
}

// entry adds a header of 13 hexadecimal numbers behind the magic, the name with
// its NUL and the data, each padded to 4 bytes (Documentation/driver-api/early-userspace/buffer-format.rst).
func (a *archive) entry(name string, mode uint32, data []byte, major, minor int) {
	a.inode++
	fmt.Fprintf(a, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
		a.inode, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name)+1, 0, name)
	a.pad()
	a.Write(data)
	a.pad()
}

func (a *archive) pad() { a.Write(make([]byte, -a.Len()&3)) }
