package source

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// mostLinks bounds how many symbolic links a tree may have (6.1 has 59),
// mostTarget their length: Linux's PATH_MAX.
const (
	mostLinks  = 10_000
	mostTarget = 4096
)

// links are the symbolic links of a tree, by their paths below the top.
type links map[string]string

// pass lets an entry of the tree pass that no link stands above: what is
// unpacked there would go where the link leads.
func (l links) pass(rest string) error {
	for dir := path.Dir(rest); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if _, is := l[dir]; is {
			return fmt.Errorf("%s above it is a symbolic link", dir)
		}
	}
	return nil
}

// add notes a link; whether it leads out can be told when all are known.
func (l links) add(rest, target string) error {
	switch {
	case rest == "":
		return errors.New("the top directory is a symbolic link")
	case len(target) >= mostTarget:
		return fmt.Errorf("a symbolic link to %d bytes of path, want less than %d", len(target), mostTarget)
	case len(l) == mostLinks:
		return fmt.Errorf("more than %d symbolic links", mostLinks)
	}
	l[rest] = target
	return nil
}

// check refuses a link that leads out of the tree, by itself or by others.
func (l links) check() error {
	for rest, target := range l {
		if l.leadsOut(rest) {
			return fmt.Errorf("entry %q: a symbolic link to %q leads out of the tree", rest, target)
		}
	}
	return nil
}

// leadsOut follows a link as Linux does, which gives up at the 40th link.
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
