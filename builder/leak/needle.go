package leak

import (
	"bytes"
	"strings"
	"time"
)

// needle is a text that should be in no file.
type needle struct {
	kind Kind
	text []byte
	// match judges where it stands, and gives what to show.
	match func(data []byte, at int) (string, bool)
}

// needles are the dates of the build and the name of the host.
func needles(f Facts) []needle {
	return append(dates(f), hostNames(f)...)
}

// dates are the days that the build ran on, as date(1), compilers and kbuild
// write them. The epoch's own day is no leak: it is where the date comes from.
func dates(f Facts) []needle {
	layouts := []string{
		"Jan _2 2006", "Jan 2 2006", "Jan 2, 2006", "January 2, 2006", "2 Jan 2006", "02 Jan 2006", "2 January 2006", // __DATE__, mail, people
		"2006-01-02", "2006/01/02", "01/02/2006", "20060102",
	}
	epoch := time.Unix(f.Epoch, 0).UTC().Format(time.DateOnly)
	var all []needle
	seen := map[string]bool{}
	for _, day := range f.Days {
		t := day.UTC()
		if t.Format(time.DateOnly) == epoch {
			continue
		}
		for _, layout := range append(layouts, "Mon Jan _2 ") {
			text := t.Format(layout)
			if seen[text] {
				continue
			}
			seen[text] = true
			judge := number(text)
			if strings.HasSuffix(text, " ") { // date(1)
				judge = withYear(t.Format("2006"))
			}
			all = append(all, needle{Date, []byte(text), judge})
		}
	}
	return all
}

// alone: a text that is no part of a longer word or number.
func alone(text string) func([]byte, int) (string, bool) {
	return func(data []byte, at int) (string, bool) {
		return text, !letter(data, at-1) && !letter(data, at+len(text))
	}
}

// number: a text between other things than digits, and no end of a word.
func number(text string) func([]byte, int) (string, bool) {
	return func(data []byte, at int) (string, bool) {
		end := at + len(text)
		return text, !letter(data, at-1) && (end == len(data) || data[end] < '0' || data[end] > '9')
	}
}

// withYear: date(1) writes the year behind time and zone, "15:04:05 UTC 2006".
func withYear(year string) func([]byte, int) (string, bool) {
	return func(data []byte, at int) (string, bool) {
		const most = 40
		line := data[at:min(len(data), at+most)]
		i := bytes.Index(line, []byte(" "+year))
		if i < 0 || bytes.ContainsAny(line[:i], "\n\x00") || bytes.IndexByte(line[:i], ':') < 0 {
			return "", false
		}
		return string(line[:i+len(year)+1]), true
	}
}

func letter(data []byte, at int) bool {
	if at < 0 || at >= len(data) {
		return false
	}
	c := data[at]
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// hostNames are the host's name, whole and up to its first dot.
func hostNames(f Facts) []needle {
	short, _, _ := strings.Cut(f.Host, ".")
	var all []needle
	for _, name := range []string{f.Host, short} {
		ours := name == "" || name == f.Hostname || name == "localhost"
		if ours || len(all) > 0 && string(all[0].text) == name {
			continue
		}
		judge := alone(name)
		if !distinctive(name) {
			judge = asHost(name)
		}
		all = append(all, needle{HostName, []byte(name), func(data []byte, at int) (string, bool) {
			got, ok := judge(data, at)
			return got, ok && (name == f.Host || !bytes.HasPrefix(data[at:], []byte(f.Host)))
		}})
	}
	return all
}

// distinctive: a name that is hardly a word. Of others, such as vm or build, a
// kernel's sources are full.
func distinctive(name string) bool {
	return len(name) >= 6 && strings.ContainsAny(name, "0123456789-.")
}

// asHost: a word that stands where a host's name does, as in (root@vm),
// HOST "vm", hostname=vm.
func asHost(name string) func([]byte, int) (string, bool) {
	single := alone(name)
	return func(data []byte, at int) (string, bool) {
		if _, ok := single(data, at); !ok {
			return "", false
		}
		from := max(0, at-margin/2)
		line := data[from:at]
		if i := bytes.LastIndexAny(line, "\n\x00"); i >= 0 {
			line = line[i+1:]
		}
		if bytes.HasSuffix(line, []byte("@")) && len(line) > 1 && letter(line, len(line)-2) {
			return string(line[bytes.LastIndexAny(line, " \t(")+1:]) + name, true
		}
		before := strings.ToLower(strings.TrimRight(string(line), " \t\"'=:"))
		named := len(before) < len(line) && (strings.HasSuffix(before, "host") || strings.HasSuffix(before, "hostname") || strings.HasSuffix(before, "nodename"))
		return strings.TrimLeft(string(line), " \t") + name, named
	}
}
