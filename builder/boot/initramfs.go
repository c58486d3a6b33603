package boot

import (
	"bytes"
	"fmt"
)

// The types of files in st_mode.
const (
	modeFolder = 0o040000
	modeFile   = 0o100000
	modeDevice = 0o020000 // a character device
)

// File is a file of an initramfs or of a folder. Name does not begin with a slash.
type File struct {
	Name string
	Data []byte
	Exec bool
}

// Initramfs returns a cpio archive in the format "newc", which Linux unpacks as
// its first root. It holds the files in their order, their folders, and the two
// devices that process 1 needs, /dev/console and /dev/kmsg. Equal files give equal
// bytes.
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

// archive is an initramfs that is being written.
type archive struct {
	bytes.Buffer
	made  map[string]bool // folders
	inode int
}

// folder adds a folder, once, behind those that hold it.
func (a *archive) folder(name string) {
	if !a.made[name] {
		a.made[name] = true
		a.parents(name)
		a.entry(name, modeFolder|0o755, nil, 0, 0)
	}
}

// parents adds the folders that hold a name.
func (a *archive) parents(name string) {
	for i := len(name) - 1; i > 0; i-- {
		if name[i] == '/' {
			a.folder(name[:i])
			return
		}
	}
}

// device adds a character device.
func (a *archive) device(name string, major, minor int) {
	a.parents(name)
	a.entry(name, modeDevice|0o600, nil, major, minor)
}

// entry adds an entry: the magic number and 13 hexadecimal numbers, the name with
// a NUL, and the data, each padded to 4 bytes
// (Documentation/driver-api/early-userspace/buffer-format.rst).
func (a *archive) entry(name string, mode uint32, data []byte, major, minor int) {
	a.inode++
	fmt.Fprintf(a, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
		a.inode, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name)+1, 0, name)
	a.pad()
	a.Write(data)
	a.pad()
}

func (a *archive) pad() { a.Write(make([]byte, -a.Len()&3)) }
