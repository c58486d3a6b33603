package durable

import "golang.org/x/sys/unix"

// noFollow keeps open from following a symbolic link.
const noFollow = unix.O_NOFOLLOW

// exchange lets two folders change places in one step. Not every file system can do
// that.
func exchange(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}
