package leak

import (
	"bytes"
	"strings"
	"time"
)

// needle is a text that no file should hold.
type needle struct {
	kind Kind
	text []byte
	// match reports whether the text at an offset is a leak, by what is around it,
	// and returns what to show.
	match func(data []byte, at int) (string, bool)
}

// needles returns the dates of the build and the names of the host.
func needles(f Facts) []needle {
	return append(dates(f), hostNames(f)...)
}

// dates returns the days on which the build ran, as date(1), compilers and kbuild
// write them. The day of the epoch is no leak, because the build may show it.
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
			match := notInNumber(text)
			if strings.HasSuffix(text, " ") { // date(1)
				match = withYear(t.Format("2006"))
			}
			all = append(all, needle{Date, []byte(text), match})
		}
	}
	return all
}

// notInWord matches a text that is not part of a longer word or number.
func notInWord(text string) func([]byte, int) (string, bool) {
	return func(data []byte, at int) (string, bool) {
		return text, !letter(data, at-1) && !letter(data, at+len(text))
	}
}

// notInNumber matches a text with no digit behind it that is not the end of a word.
func notInNumber(text string) func([]byte, int) (string, bool) {
	return func(data []byte, at int) (string, bool) {
		end := at + len(text)
		return text, !letter(data, at-1) && (end == len(data) || data[end] < '0' || data[end] > '9')
	}
}

// withYear matches a day as date(1) writes it, with the year behind time and zone:
// "Mon Jan  2 15:04:05 UTC 2006".
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

// letter reports whether the byte at an offset is a letter, a digit or "_".
func letter(data []byte, at int) bool {
	if at < 0 || at >= len(data) {
		return false
	}
	c := data[at]
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// hostNames returns the name of the host, in full and up to its first dot.
func hostNames(f Facts) []needle {
	short, _, _ := strings.Cut(f.Host, ".")
	var all []needle
	for _, name := range []string{f.Host, short} {
		ours := name == "" || name == f.Hostname || name == "localhost"
		if ours || len(all) > 0 && string(all[0].text) == name {
			continue
		}
		match := notInWord(name)
		if !distinctive(name) {
			match = asHost(name)
		}
		all = append(all, needle{HostName, []byte(name), func(data []byte, at int) (string, bool) {
			got, ok := match(data, at)
			return got, ok && (name == f.Host || !bytes.HasPrefix(data[at:], []byte(f.Host)))
		}})
	}
	return all
}

// distinctive reports whether a name is unlikely to be a word. The sources of a
// kernel are full of words such as vm or build.
func distinctive(name string) bool {
	return len(name) >= 6 && strings.ContainsAny(name, "0123456789-.")
}

// asHost matches a word where the name of a host is usual, as in (root@vm),
// HOST "vm" and hostname=vm.
func asHost(name string) func([]byte, int) (string, bool) {
	single := notInWord(name)
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
