package source

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// maxLinks is how many symbolic links a tree may have; Linux 6.1 has 59. maxTarget
// is the limit for their lengths, Linux's PATH_MAX.
const (
	maxLinks  = 10_000
	maxTarget = 4096
)

// links are the targets of the symbolic links of a tree, by their paths below the
// top directory.
type links map[string]string

// checkAbove returns an error if a folder above an entry is a symbolic link. The
// entry would be unpacked to the link's target.
func (l links) checkAbove(rest string) error {
	for dir := path.Dir(rest); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if _, is := l[dir]; is {
			return fmt.Errorf("%s above it is a symbolic link", dir)
		}
	}
	return nil
}

// add adds a link. check, which needs all links, finds out where it leads.
func (l links) add(rest, target string) error {
	switch {
	case rest == "":
		return errors.New("the top directory is a symbolic link")
	case len(target) >= maxTarget:
		return fmt.Errorf("a symbolic link to %d bytes of path, want less than %d", len(target), maxTarget)
	case len(l) == maxLinks:
		return fmt.Errorf("more than %d symbolic links", maxLinks)
	}
	l[rest] = target
	return nil
}

// check returns an error if a link leads out of the tree, directly or through other
// links.
func (l links) check() error {
	for rest, target := range l {
		if l.leadsOut(rest) {
			return fmt.Errorf("entry %q: a symbolic link to %q leads out of the tree", rest, target)
		}
	}
	return nil
}

// leadsOut tells whether a link leads out of the tree. It follows at most 40 links,
// as Linux does.
func (l links) leadsOut(rest string) bool {
	at, todo := strings.Split(rest, "/"), []string(nil)
	for hops := 0; ; {
		if target, is := l[strings.Join(at, "/")]; is {
			if hops++; hops > 40 {
				return false
			}
			if strings.HasPrefix(target, "/") {
				return true
			}
			at, todo = at[:len(at)-1], append(strings.Split(target, "/"), todo...)
		}
		if len(todo) == 0 {
			return false
		}
		switch next := todo[0]; next {
		case "", ".":
		case "..":
			if len(at) == 0 {
				return true
			}
			at = at[:len(at)-1]
		default:
			at = append(at[:len(at):len(at)], next)
		}
		todo = todo[1:]
	}
}
