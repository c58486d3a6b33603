package durable

import "golang.org/x/sys/unix"

// noFollow keeps open from following a symbolic link.
const noFollow = unix.O_NOFOLLOW

// exchange exchanges two folders in one step. Not every file system supports that.
func exchange(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}
