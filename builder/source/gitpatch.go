package source

import (
	"bytes"
	"strconv"
	"strings"
)

// git reads a file's part of git's diff, with its extended headers.
func (r *patchReader) git() (filePatch, *Fault) {
	f := filePatch{file: r.file, line: r.line}
	old, new, named := r.both(string(bytes.TrimRight(r.peek()[len("diff --git "):], "\r\n")))
	r.next()
	created, deleted, renamed, fault := r.extended(&f, &old, &new)
	if fault != nil {
		return f, fault
	}
	if r.isPair() {
		before, after, fault := r.pair()
		if fault != nil {
			return f, fault
		}
		if f.hunks, fault = r.hunks(); fault != nil {
			return f, fault
		}
		if len(f.hunks) == 0 {
			return f, r.fault("a hunk behind --- and +++", "none")
		}
		created, deleted = created || before == "", deleted || after == ""
		old, new, named = before, after, true
	}
	if created {
		old = ""
	}
	if deleted {
		new = ""
	}
	f.old, f.new = old, new
	return f, f.judge(named || renamed, renamed)
}

// judge holds a part of git's diff against itself.
func (f filePatch) judge(named, renamed bool) *Fault {
	wrong := func(want, found string) *Fault { return &Fault{File: f.file, Line: f.line, Want: want, Found: found} }
	switch {
	case !named:
		return wrong("the name of a file", "none")
	case f.old == "" && f.new == "":
		return wrong("a file before or after", "neither")
	case f.old != "" && f.new != "" && f.old != f.new && !renamed:
		return wrong("one name or a rename", clip(f.old)+" and "+clip(f.new))
	case len(f.hunks) == 0 && f.mode == 0 && f.old == f.new:
		return wrong("a change of "+f.old, "none")
	}
	return nil
}

// extended reads the lines between "diff --git" and "---".
func (r *patchReader) extended(f *filePatch, old, new *string) (created, deleted, renamed bool, fault *Fault) {
	for line := r.peek(); line != nil && fault == nil; line = r.peek() {
		key, value := gitKey(string(bytes.TrimRight(line, "\r\n")))
		switch key {
		case "":
			return created, deleted, renamed, nil
		case "new file mode ", "new mode ":
			created = created || key == "new file mode "
			f.mode, fault = r.mode(value)
		case "deleted file mode ", "old mode ":
			deleted = deleted || key == "deleted file mode "
			_, fault = r.mode(value)
		case "rename from ":
			renamed = true
			*old, fault = r.bare(value)
		case "rename to ":
			renamed = true
			*new, fault = r.bare(value)
		case "copy from ", "copy to ":
			fault = r.fault("files that are made, changed, renamed or deleted", "a copy; git format-patch --no-renames writes it out")
		case "GIT binary patch", "Binary files ":
			fault = r.fault("text", "a binary file")
		}
		if fault == nil {
			r.next()
		}
	}
	return created, deleted, renamed, fault
}

// gitKeys are git's extended headers.
var gitKeys = []string{
	"new file mode ", "new mode ", "deleted file mode ", "old mode ", "rename from ", "rename to ", "copy from ", "copy to ",
	"similarity index ", "dissimilarity index ", "index ", "GIT binary patch", "Binary files ",
}

func gitKey(line string) (key, value string) {
	for _, key := range gitKeys {
		if value, ok := strings.CutPrefix(line, key); ok {
			return key, value
		}
	}
	return "", ""
}

// mode is that of a regular file.
func (r *patchReader) mode(digits string) (uint32, *Fault) {
	switch strings.TrimSpace(digits) {
	case "100644", "100664", "100600":
		return modePlain, nil
	case "100755", "100775", "100700":
		return modeProgram, nil
	case "120000":
		return 0, r.fault("regular files", "a symbolic link (mode 120000)")
	case "160000":
		return 0, r.fault("regular files", "a submodule (mode 160000)")
	}
	return 0, r.fault("mode 100644 or 100755", clip(digits))
}

// bare is the path in a rename, which git writes without the "a/" that is
// stripped elsewhere.
func (r *patchReader) bare(name string) (string, *Fault) {
	if whole, err := strconv.Unquote(name); err == nil && strings.HasPrefix(name, `"`) {
		name = whole
	}
	return r.stripped(name, max(0, r.strip-1))
}

// both takes the names out of "a/x b/x"; names with blanks are found by being
// equal but for what is stripped. It is false where they are not clear: then
// the lines below have to name the file.
func (r *patchReader) both(line string) (old, new string, ok bool) {
	if first, err := strconv.QuotedPrefix(line); err == nil && strings.HasPrefix(line, `"`) {
		second := strings.TrimPrefix(line[len(first):], " ")
		if b, err := strconv.Unquote(second); err == nil {
			second = b
		}
		a, _ := strconv.Unquote(first)
		return r.same(a, second)
	}
	for i := range len(line) {
		if line[i] != ' ' {
			continue
		}
		if old, new, ok = r.same(line[:i], line[i+1:]); ok {
			return old, new, true
		}
	}
	return "", "", false
}

func (r *patchReader) same(a, b string) (old, new string, ok bool) {
	if len(a) != len(b) { // "a/" and "b/" are of one length
		return "", "", false
	}
	old, faultA := r.stripped(a, r.strip)
	new, faultB := r.stripped(b, r.strip)
	return old, new, faultA == nil && faultB == nil && old == new
}
