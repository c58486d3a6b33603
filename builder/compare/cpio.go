package compare

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
)

// cpioMembers lists a "newc" archive, such as an initramfs. Each member has 110
// bytes of hexadecimal numbers, a name and a content, padded to 4 bytes.
func cpioMembers(b blob) ([]archiveMember, error) {
	var all []archiveMember
	for at := int64(0); ; {
		n, err := cpioHeader(b, at)
		if err != nil {
			return nil, err
		}
		text, err := bufio.NewReader(b.section(at+110, min(n[11], 4096)).all()).ReadString(0)
		if err != nil {
			return nil, &brokenError{err}
		}
		name := strings.TrimSuffix(text, "\x00")
		if name == "TRAILER!!!" {
			return all, nil
		}
		content := at + 110 + n[11] + -(110+n[11])&3
		all = append(all, archiveMember{name, cpioFields(n), part(b, content, n[6])})
		if len(all) > maxMembers {
			return nil, errMembers
		}
		at = content + n[6] + -n[6]&3
	}
}

// cpioHeader reads the numbers of the entry at offset at.
func cpioHeader(b blob, at int64) (n [13]int64, err error) {
	h, err := b.section(at, 110).bytes()
	if err != nil {
		return n, err
	}
	if len(h) < 110 || string(h[:6]) != "070701" {
		return n, &brokenError{fmt.Errorf("offset %d has no cpio entry", at)}
	}
	for i := range n {
		if n[i], err = strconv.ParseInt(string(h[6+8*i:14+8*i]), 16, 64); err != nil {
			return n, &brokenError{err}
		}
	}
	return n, nil
}

// cpioFields returns the fields of an entry, given the numbers of its header.
func cpioFields(n [13]int64) []field {
	links := field{"cpio links", number(n[4]), nil}
	if n[1]&0o170000 == 0o040000 {
		links.cause = dirSize
	}
	return []field{{"cpio inode", number(n[0]), inode}, {"cpio mode", strconv.FormatInt(n[1], 8), nil},
		{"cpio owner", fmt.Sprintf("%d:%d", n[2], n[3]), user}, links, {"cpio mtime", unix(n[5]), mtimes},
		{"cpio device", fmt.Sprintf("%d:%d", n[7], n[8]), device}, {"cpio rdev", fmt.Sprintf("%d:%d", n[9], n[10]), nil}}
}
